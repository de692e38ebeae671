#include "bench/load/slots.hpp"

#include <fmt/format.h>

#include <charconv>

namespace coordination::bench {

void write_key(char* into, std::uint32_t slot, std::uint32_t ordinal) noexcept
{
    for (int i = 4; i >= 0; --i, slot /= 10)
        into[i] = static_cast<char>('0' + slot % 10);
    into[5] = '-';
    for (int i = 13; i > 5; --i, ordinal >>= 4)
        into[i] = "0123456789abcdef"[ordinal & 15];
}

Slots::Slots(const Options& options, Measure& measure, unsigned parts)
    : measure_(measure),
      parts_(parts),
      interval_(options.rate > 0 ? static_cast<Nanos>(1e9 / options.rate) : 0),
      due_at_(interval_ > 0 ? now() : 0),
      slots_(options.producers * options.in_flight)
{
    for (auto slot = slots_.size(); slot > 0; --slot)
        free_.push_back(static_cast<std::uint32_t>(slot - 1));
}

void Slots::part_done(std::string_view key, unsigned part, Nanos time)
{
    std::uint32_t slot = 0;
    std::uint32_t ordinal = 0;
    if (key.size() != key_bytes)
        return measure_.error(fmt::format("no key of ours: {}", key));
    std::from_chars(key.data(), key.data() + 5, slot);
    std::from_chars(key.data() + 6, key.data() + key_bytes, ordinal, 16);
    if (slot >= slots_.size() || slots_[slot].ordinal != ordinal)
        return measure_.error(fmt::format("a key that is not under way: {}", key));
    part_done(slot, part, time);
}

void Slots::part_done(std::uint32_t slot, unsigned part, Nanos time)
{
    auto& state = slots_[slot];
    if ((state.missing & part) == 0)
        return measure_.error("a part of an operation ended twice");
    state.missing &= ~part;
    if (state.missing == 0)
        end(slot, time);
}

void Slots::refused(std::uint32_t slot, std::string_view why)
{
    measure_.error(why);
    slots_[slot].missing = 0;
    free_.push_back(slot);
}

void Slots::end(std::uint32_t slot, Nanos time)
{
    measure_.done(slots_[slot].due, time);
    free_.push_back(slot);
}

} // namespace coordination::bench
