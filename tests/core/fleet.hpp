#pragma once

#include "core/engine.hpp"

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace coordination::testing {

/// An engine whose clock moves when told to. Each call is executed and settled, as the daemon does it.
class Fleet {
public:
    explicit Fleet(const Limits& limits = {}) : engine(limits) {}

    Result call(const Command& command, const Caller& caller = {});
    /// Lets time pass, taking back leases at the moment they run out.
    void advance(std::chrono::milliseconds time);

    /// A worker that registers over a connection of its own; its caller.
    Caller join(std::string_view id, std::vector<std::string> capabilities = {});
    void leave(const Caller& worker);
    Result heartbeat(const Caller& worker);

    Result assign(std::string_view task, std::vector<std::string> capabilities = {},
                  Priority priority = Priority::normal);
    Result assign_to(std::string_view worker, std::string_view task,
                     std::vector<std::string> capabilities = {});
    Result update(std::string_view task, const Caller& caller, const LeaseClaim& claim = {});
    Result complete(std::string_view task, const Caller& caller = {}, const LeaseClaim& claim = {});
    Result fail(std::string_view task, const Caller& caller = {}, const LeaseClaim& claim = {});

    const Task& task(std::string_view id) const;
    const Worker& worker(std::string_view id) const;
    /// Empty: nobody.
    std::string holder(std::string_view task) const;
    /// Since the last call of this: `task>session`, in order.
    std::vector<std::string> deliveries();

    Engine engine;
    Timestamp now{std::chrono::milliseconds{1'764'000'000'000}};
    Effects effects; ///< all so far, deliveries() apart

private:
    SessionId last_session_ = 0;
};

inline Text text(std::string_view value)
{
    return Text(value);
}

} // namespace coordination::testing
