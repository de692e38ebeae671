#pragma once

#include "core/bus/post.hpp"
#include "core/types.hpp"

#include <array>
#include <chrono>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>

namespace coordination {

/// The ordinal of a message at the post office: the order in which messages came.
using PostNumber = std::uint64_t;

/// One message on its way to one receiver.
struct Parcel {
    PostPtr post{};
    std::uint32_t sent = 0;    ///< how often it went out
    std::uint32_t overdue = 0; ///< how often it was not acknowledged in time
    Timestamp due{};           ///< while it is in flight: then it is overdue
};

/// Which of several goes first: the smaller one.
struct ParcelRank {
    std::int64_t level = 0; ///< its priority, raised by one for each `aging` that it has waited
    Timestamp since{};
    PostNumber number = 0;
    Priority written = Priority::normal;
    friend auto operator<=>(const ParcelRank&, const ParcelRank&) noexcept = default;
};

/// What one receiver has still to get: what waits, and what went out and is not acknowledged.
class Mailbox {
public:
    using Parcels = std::map<PostNumber, Parcel>;

    WorkerId worker{};     ///< whose it is; empty: the connection's own
    SessionId session = 0; ///< the connection that it goes out over; 0: the receiver is away
    bool wants_letters = false;
    bool gone = false; ///< the worker was unregistered: what is here becomes dead letters
    /// It was a connection's that does not subscribe any more: what is here is let go.
    bool abandoned() const noexcept { return worker.empty() && session == 0; }

    void put(PostNumber number, PostPtr post);
    /// What should go next, if anything waits.
    std::optional<ParcelRank> best(std::chrono::milliseconds aging, Timestamp now) const;

    /// One that waits goes out.
    Parcel& begin_flight(PostNumber number);
    /// One in flight waits again, in its old place.
    void end_flight(PostNumber number);
    /// In flight or not; null: it is not here.
    Parcel* find(PostNumber number) noexcept;
    bool erase(PostNumber number);
    /// One that is here, in flight or not.
    std::optional<PostNumber> any() const noexcept;
    /// The oldest that is sent once at most, if one waits.
    std::optional<PostNumber> oldest_unguarded() const noexcept;

    const Parcels& waiting(Priority priority) const noexcept
    {
        return waiting_[static_cast<std::size_t>(priority)];
    }
    const Parcels& in_flight() const noexcept { return in_flight_; }
    std::size_t waiting() const noexcept;
    std::size_t size() const noexcept { return waiting() + in_flight_.size(); }
    /// Dead letters that are here.
    const std::set<PostNumber>& letters() const noexcept { return letters_; }
    struct Load {
        std::size_t messages = 0;
        std::size_t bytes = 0;
    };
    /// Of what is sent once at most, and of what is sent until it is acknowledged. Dead letters are in
    /// neither: they have a bound of their own.
    const Load& unguarded() const noexcept { return unguarded_load_; }
    const Load& guarded() const noexcept { return guarded_load_; }

private:
    Load* load_of(const Post& post) noexcept
    {
        if (post.is_letter())
            return nullptr;
        return post.guarded() ? &guarded_load_ : &unguarded_load_;
    }
    Parcels& queue_of(const Post& post) noexcept
    {
        return waiting_[static_cast<std::size_t>(post.message.priority)];
    }

    std::array<Parcels, priority_count> waiting_;
    Parcels in_flight_;
    std::set<PostNumber> unguarded_; ///< those that wait and are sent once at most
    std::set<PostNumber> letters_;
    Load unguarded_load_;
    Load guarded_load_;
};

} // namespace coordination
