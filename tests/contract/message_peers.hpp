#pragma once

#include "support/api.hpp"

#include <string>

namespace coordination::testing {

/// A socket that subscribes to messages without being a worker.
class Listener : public WsPeer {
public:
    Listener(const DaemonProcess& daemon, const std::string& topics);
};

void ack(WsPeer& peer, const Message& message);

/// The figures of the bus.
Json bus(Api& api);
/// Until one of them is this.
void await_figure(Api& api, const std::string& figure, std::int64_t value);

/// Nothing has come so far: the answer to a question that was asked behind it comes first.
void check_nothing_came(WsPeer& peer);

} // namespace coordination::testing
