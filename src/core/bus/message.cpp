#include "core/bus/message.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

namespace coordination {
namespace {

constexpr std::size_t word_bits = 64;

/// Its place among the receivers; npos where it is none.
std::size_t place_of(const BusMessage& message, const WorkerId& receiver) noexcept
{
    if (!message.receivers)
        return std::string_view::npos;
    const auto place = std::ranges::lower_bound(*message.receivers, receiver);
    if (place == message.receivers->end() || *place != receiver)
        return std::string_view::npos;
    return static_cast<std::size_t>(place - message.receivers->begin());
}

bool settled_at(const BusMessage& message, std::size_t place) noexcept
{
    return (message.settled[place / word_bits] >> (place % word_bits) & 1U) != 0;
}

} // namespace

std::string_view name_of(MessageState state) noexcept
{
    switch (state) {
    case MessageState::live:
        return "live";
    case MessageState::done:
        return "done";
    case MessageState::dead:
        return "dead";
    }
    return {};
}

void bind(BusMessage& message, std::vector<WorkerId> receivers)
{
    std::ranges::sort(receivers);
    const auto twice = std::ranges::unique(receivers);
    receivers.erase(twice.begin(), twice.end());
    message.pending = static_cast<std::uint32_t>(receivers.size());
    message.settled.assign((receivers.size() + word_bits - 1) / word_bits, 0);
    message.receivers = std::make_shared<const std::vector<WorkerId>>(std::move(receivers));
}

bool is_pending(const BusMessage& message, const WorkerId& receiver) noexcept
{
    const auto place = place_of(message, receiver);
    return message.state == MessageState::live && place != std::string_view::npos &&
           !settled_at(message, place);
}

void settle(BusMessage& message, const WorkerId& receiver)
{
    const auto place = place_of(message, receiver);
    assert(place != std::string_view::npos && !settled_at(message, place));
    message.settled[place / word_bits] |= std::uint64_t{1} << (place % word_bits);
    message.last_settled = receiver;
    --message.pending;
}

std::vector<WorkerId> pending_receivers(const BusMessage& message)
{
    std::vector<WorkerId> pending;
    if (message.receivers)
        for (std::size_t place = 0; place < message.receivers->size(); ++place)
            if (!settled_at(message, place))
                pending.push_back((*message.receivers)[place]);
    return pending;
}

std::size_t bytes_of(const BusMessage& message) noexcept
{
    constexpr std::size_t post_bytes = 500; // with its places in the post office
    constexpr std::size_t row_bytes = 300;
    const auto receivers = message.receivers ? message.receivers->size() : 0;
    const auto kept = message.guarantee == Guarantee::at_most_once ? 0 : row_bytes;
    return post_bytes + kept + message.id.text.size() + message.topic.size() + message.payload.size() +
           receivers * sizeof(WorkerId);
}

} // namespace coordination
