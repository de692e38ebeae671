#include "bench/load/websocket.hpp"

#include <cstring>

namespace coordination::bench {

namespace {

constexpr unsigned char byte(char c) noexcept
{
    return static_cast<unsigned char>(c);
}

void append_header(std::string& out, std::size_t length, unsigned opcode, unsigned mask_bit)
{
    out.push_back(static_cast<char>(0x80 | opcode));
    if (length < 126) {
        out.push_back(static_cast<char>(mask_bit | length));
        return;
    }
    const int extended = length < 65536 ? 2 : 8;
    out.push_back(static_cast<char>(mask_bit | (extended == 2 ? 126U : 127U)));
    for (int shift = (extended - 1) * 8; shift >= 0; shift -= 8)
        out.push_back(static_cast<char>(length >> shift & 0xff));
}

void apply_mask(char* data, std::size_t size, std::uint32_t mask) noexcept
{
    const std::uint64_t wide = std::uint64_t{mask} << 32 | mask;
    std::size_t at = 0;
    for (; at + 8 <= size; at += 8) {
        std::uint64_t word;
        std::memcpy(&word, data + at, 8);
        word ^= wide;
        std::memcpy(data + at, &word, 8);
    }
    for (; at < size; ++at)
        data[at] = static_cast<char>(byte(data[at]) ^ (mask >> at % 4 * 8 & 0xff));
}

} // namespace

std::optional<Frame> frame_at(std::string_view bytes) noexcept
{
    if (bytes.size() < 2)
        return std::nullopt;
    const unsigned short_length = byte(bytes[1]) & 0x7f;
    const bool masked = (byte(bytes[1]) & 0x80) != 0;
    const std::size_t extended = short_length < 126 ? 0 : short_length == 126 ? 2 : 8;
    const std::size_t header = 2 + extended + (masked ? 4 : 0);
    if (bytes.size() < header)
        return std::nullopt;
    std::size_t length = extended == 0 ? short_length : 0;
    for (std::size_t i = 0; i < extended; ++i)
        length = length << 8 | byte(bytes[2 + i]);
    if (bytes.size() - header < length)
        return std::nullopt;
    std::uint32_t mask = 0;
    if (masked)
        std::memcpy(&mask, bytes.data() + header - 4, 4);
    return Frame{.opcode = byte(bytes[0]) & 0x0fU,
                 .masked = masked,
                 .payload = bytes.substr(header, length),
                 .mask = mask,
                 .bytes = header + length};
}

void append_frame(std::string& out, std::string_view payload, unsigned opcode)
{
    append_header(out, payload.size(), opcode, 0);
    out.append(payload);
}

void append_masked_frame(std::string& out, std::string_view payload, unsigned opcode)
{
    constexpr std::uint32_t mask = 0x5ad3c279;
    append_header(out, payload.size(), opcode, 0x80);
    out.append(reinterpret_cast<const char*>(&mask), 4);
    const auto start = out.size();
    out.append(payload);
    apply_mask(out.data() + start, payload.size(), mask);
}

void unmask(const Frame& frame, std::string& into)
{
    into.assign(frame.payload);
    if (frame.masked)
        apply_mask(into.data(), into.size(), frame.mask);
}

} // namespace coordination::bench
