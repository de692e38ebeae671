#pragma once

#include "core/commands/commands.hpp"
#include "net/coordinator.hpp"
#include "net/embed/delivered_message.hpp"
#include "net/embed/event_hub.hpp"
#include "net/metrics.hpp"
#include "net/outbox.hpp"

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>

namespace coordination {

/// Brings messages of the bus to a handler of the program that the daemon lives in, as a socket without a worker would
/// get them: through an outbox, each acknowledged when the handler has returned.
///
/// Bounds   Those of a socket: a quarter of an outbox, beyond it the mailbox. Where that is overfull it subscribes
///          anew, and the next message says so.
/// Threads  Any. The handler runs where those of events do, in turn with them.
class MessageListener : public std::enable_shared_from_this<MessageListener> {
public:
    using Handler = std::function<void(const DeliveredMessage&)>;

    MessageListener(SubscribeMessages subscription, Handler handler, std::shared_ptr<EventHub> hub,
                    std::size_t bytes_max);

    /// Subscribes with a daemon that has started. Both must live until close().
    void open(Coordinator& coordinator, Metrics& metrics);
    /// Nothing comes any more, and nothing is acknowledged.
    void close();

private:
    class Turn;

    void attach();
    void detach();
    void schedule();
    void deliver();
    bool take_more();
    void acknowledge(const DeliveredMessage& message);

    const SubscribeMessages subscription_;
    const Handler handler_;
    const std::shared_ptr<EventHub> hub_;
    const std::size_t bytes_max_;

    std::mutex mutex_; ///< guards what follows
    Coordinator* coordinator_ = nullptr;
    Metrics* metrics_ = nullptr;
    std::shared_ptr<Outbox> outbox_;
    SessionId session_ = 0;
    std::deque<Frame> frames_; ///< taken out of the outbox, and not yet told
    bool after_gap_ = false;
};

} // namespace coordination
