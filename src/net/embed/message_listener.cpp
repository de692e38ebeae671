#include "net/embed/message_listener.hpp"

#include "core/json/slice.hpp"

#include <chrono>
#include <optional>
#include <utility>

namespace coordination {

namespace {

/// Nobody waits for what comes of it.
class SilentCall final : public Call {
public:
    void render(const Result&, const StateStore&, const ReplyContext&) override {}
    void deliver() override {}
};

/// From what a socket would be sent.
DeliveredMessage read_frame(std::string_view frame)
{
    DeliveredMessage message;
    json::Members members(frame);
    while (const auto member = members.next()) {
        const auto value = member->value;
        const bool is_text = json::kind_of(value) == json::Kind::string;
        const auto text = [&] { return is_text ? json::unquoted(value) : std::string(value); };
        if (member->key == "messageId")
            message.message_id = text();
        else if (member->key == "topic")
            message.topic = text();
        else if (member->key == "payload")
            message.payload = value;
        else if (member->key == "sender" && is_text)
            message.sender = text();
        else if (member->key == "priority")
            message.priority = text();
        else if (member->key == "guarantee")
            message.guarantee = text();
        else if (member->key == "attempt")
            message.attempt = static_cast<std::uint32_t>(json::integer_in(value).value_or(1));
        else if (member->key == "timestamp")
            message.published_at = Timestamp{std::chrono::milliseconds{json::integer_in(value).value_or(0)}};
    }
    return message;
}

} // namespace

/// The handler is being called. However that ends, what is left comes in another turn.
class MessageListener::Turn {
public:
    explicit Turn(MessageListener& listener) noexcept : listener_(listener) {}
    ~Turn()
    {
        if (goes_on_)
            listener_.schedule();
    }
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;

    void is_last() noexcept { goes_on_ = false; }

private:
    MessageListener& listener_;
    bool goes_on_ = true;
};

MessageListener::MessageListener(SubscribeMessages subscription, Handler handler,
                                 std::shared_ptr<EventHub> hub, std::size_t bytes_max)
    : subscription_(std::move(subscription)),
      handler_(std::move(handler)),
      hub_(std::move(hub)),
      bytes_max_(bytes_max)
{
}

void MessageListener::open(Coordinator& coordinator, Metrics& metrics)
{
    const std::lock_guard lock(mutex_);
    coordinator_ = &coordinator;
    metrics_ = &metrics;
    attach();
}

void MessageListener::close()
{
    const std::lock_guard lock(mutex_);
    if (!coordinator_)
        return;
    detach();
    coordinator_ = nullptr;
    frames_.clear();
    after_gap_ = false;
}

void MessageListener::attach()
{
    const auto wake = [self = weak_from_this()] {
        if (const auto listener = self.lock())
            listener->schedule();
    };
    outbox_ = std::make_shared<Outbox>(bytes_max_, wake, metrics_->frames);
    session_ = coordinator_->attach(outbox_);
    coordinator_->submit(Command(subscription_), session_, std::make_unique<SilentCall>());
}

void MessageListener::detach()
{
    outbox_->detach();
    coordinator_->detach(session_);
}

void MessageListener::schedule()
{
    hub_->run(Waiter<>([self = shared_from_this()] { self->deliver(); }));
}

void MessageListener::deliver()
{
    Turn turn(*this);
    if (!take_more())
        return turn.is_last();
    for (;;) {
        std::optional<DeliveredMessage> message;
        {
            const std::lock_guard lock(mutex_);
            if (frames_.empty())
                return;
            message = read_frame(*frames_.front());
            message->after_gap = std::exchange(after_gap_, false);
            frames_.pop_front();
        }
        handler_(*message);
        acknowledge(*message);
    }
}

/// False where nothing waits: the outbox tells of what comes next.
bool MessageListener::take_more()
{
    const std::lock_guard lock(mutex_);
    if (!coordinator_ || !frames_.empty())
        return coordinator_ != nullptr;
    auto batch = outbox_->take();
    if (batch.close == Outbox::Close::overflow) {
        ++metrics_->slow_consumers;
        detach();
        attach();
        after_gap_ = true;
        return false;
    }
    metrics_->frames.delivered += batch.frames.size();
    frames_.assign(std::make_move_iterator(batch.frames.begin()),
                   std::make_move_iterator(batch.frames.end()));
    return !frames_.empty();
}

void MessageListener::acknowledge(const DeliveredMessage& message)
{
    const std::lock_guard lock(mutex_);
    if (coordinator_ && message.guarantee != name_of(Guarantee::at_most_once))
        coordinator_->submit(Command(AckMessage{MessageId(message.message_id)}), session_,
                             std::make_unique<SilentCall>());
}

} // namespace coordination
