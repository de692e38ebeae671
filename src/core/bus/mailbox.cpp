#include "core/bus/mailbox.hpp"

#include <algorithm>
#include <utility>

namespace coordination {

void Mailbox::put(PostNumber number, PostPtr post)
{
    if (Load* load = load_of(*post)) {
        ++load->messages;
        load->bytes += post->bytes();
    } else {
        letters_.insert(number);
    }
    if (!post->guarded())
        unguarded_.insert(number);
    auto& queue = queue_of(*post);
    queue.emplace_hint(queue.end(), number, Parcel{std::move(post)});
}

/// Of one written priority, the oldest is also the most urgent.
std::optional<ParcelRank> Mailbox::best(std::chrono::milliseconds aging, Timestamp now) const
{
    std::optional<ParcelRank> best;
    for (int written = 0; written < priority_count; ++written) {
        const auto& queue = waiting_[static_cast<std::size_t>(written)];
        if (queue.empty())
            continue;
        const auto& [number, parcel] = *queue.begin();
        const auto since = parcel.post->message.published_at;
        const auto waited = std::max(now - since, std::chrono::milliseconds{0});
        const ParcelRank rank{std::max<std::int64_t>(0, written - waited / aging), since, number,
                              static_cast<Priority>(written)};
        if (!best || rank < *best)
            best = rank;
    }
    return best;
}

Parcel& Mailbox::begin_flight(PostNumber number)
{
    for (auto& queue : waiting_)
        if (auto node = queue.extract(number))
            return in_flight_.insert(std::move(node)).position->second;
    return in_flight_.at(number);
}

void Mailbox::end_flight(PostNumber number)
{
    auto node = in_flight_.extract(number);
    queue_of(*node.mapped().post).insert(std::move(node));
}

Parcel* Mailbox::find(PostNumber number) noexcept
{
    if (const auto flying = in_flight_.find(number); flying != in_flight_.end())
        return &flying->second;
    for (auto& queue : waiting_)
        if (const auto waiting = queue.find(number); waiting != queue.end())
            return &waiting->second;
    return nullptr;
}

bool Mailbox::erase(PostNumber number)
{
    const Parcel* parcel = find(number);
    if (!parcel)
        return false;
    if (Load* load = load_of(*parcel->post)) {
        --load->messages;
        load->bytes -= parcel->post->bytes();
    }
    unguarded_.erase(number);
    letters_.erase(number);
    if (in_flight_.erase(number) == 0)
        queue_of(*parcel->post).erase(number);
    return true;
}

std::optional<PostNumber> Mailbox::any() const noexcept
{
    if (!in_flight_.empty())
        return in_flight_.begin()->first;
    for (const auto& queue : waiting_)
        if (!queue.empty())
            return queue.begin()->first;
    return std::nullopt;
}

std::optional<PostNumber> Mailbox::oldest_unguarded() const noexcept
{
    return unguarded_.empty() ? std::nullopt : std::optional(*unguarded_.begin());
}

std::size_t Mailbox::waiting() const noexcept
{
    std::size_t waiting = 0;
    for (const auto& queue : waiting_)
        waiting += queue.size();
    return waiting;
}

} // namespace coordination
