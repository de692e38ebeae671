#pragma once

#include "bench/load/measure.hpp"

#include <cstdint>
#include <string_view>
#include <vector>

namespace coordination::bench {

/// Names an operation on the wire, in a fixed width, so that requests can be made by writing over a template:
/// slot in decimal, a dash, and the ordinal in hexadecimal.
constexpr std::size_t key_bytes = 14;
void write_key(char* into, std::uint32_t slot, std::uint32_t ordinal) noexcept;

/// The operations under way: producer p owns the slots from p * in_flight on. An operation ends when all of
/// its parts have (say, the reply to the assign, and that to the completion), and its slot is free for the
/// next.
class Slots {
public:
    Slots(const Options& options, Measure& measure, unsigned parts);

    /// Calls `begin(slot, ordinal)` for each operation that is due and has a free slot.
    template <class Begin>
    void pump(Nanos time, Begin&& begin)
    {
        while (!free_.empty() && due_at_ <= time) {
            const auto slot = free_.back();
            free_.pop_back();
            auto& state = slots_[slot];
            state = {.due = interval_ > 0 ? due_at_ : time, .ordinal = ++ordinal_, .missing = parts_};
            if (interval_ > 0)
                due_at_ += interval_;
            begin(slot, state.ordinal);
        }
    }
    /// One part of the operation that `key` names has ended.
    void part_done(std::string_view key, unsigned part, Nanos time);
    void part_done(std::uint32_t slot, unsigned part, Nanos time);
    /// It was refused: nothing more comes of it.
    void refused(std::uint32_t slot, std::string_view why);

    bool idle() const noexcept { return free_.size() == slots_.size(); }
    /// How long the loop may wait: until something comes (closed loop), or not at all (fixed rate), since a
    /// sleep would make this end late by more than what it measures.
    Nanos patience() const noexcept { return interval_ > 0 ? 0 : 100'000'000; }

private:
    struct Slot {
        Nanos due = 0;
        std::uint32_t ordinal = 0;
        unsigned missing = 0;
    };
    void end(std::uint32_t slot, Nanos time);

    Measure& measure_;
    unsigned parts_;
    Nanos interval_;
    Nanos due_at_;
    std::uint32_t ordinal_ = 0;
    std::vector<Slot> slots_;
    std::vector<std::uint32_t> free_;
};

/// Runs `pump` once a turn until the window is over, then until every operation has ended; those that never
/// do are errors.
void run(Loop& loop, Slots& slots, Measure& measure, auto&& begin)
{
    measure.start();
    auto time = now();
    while (measure.running(time)) {
        slots.pump(time, begin);
        loop.turn(slots.patience());
        time = loop.woke();
    }
    for (const auto deadline = time + 10'000'000'000; !slots.idle();) {
        loop.turn(100'000'000);
        if (loop.woke() > deadline)
            return measure.error("operations never ended");
    }
}

} // namespace coordination::bench
