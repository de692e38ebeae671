#include "net/ws/frame_reader.hpp"

#include "net/ws/frame.hpp"

#include <boost/locale/utf.hpp>

#include <algorithm>
#include <cstring>
#include <utility>

namespace coordination::ws {
namespace {

constexpr unsigned char continuation = 0x0;
constexpr unsigned char binary = 0x2;
constexpr std::size_t control_bytes_max = 125;
constexpr std::size_t kept_bytes_max = 64 << 10;

bool is_control(unsigned char opcode) noexcept
{
    return (opcode & 0x8) != 0;
}

bool is_ascii(std::string_view bytes) noexcept
{
    constexpr std::uint64_t high_bits = 0x8080808080808080;
    std::size_t at = 0;
    for (; at + sizeof(std::uint64_t) <= bytes.size(); at += sizeof(std::uint64_t)) {
        std::uint64_t word = 0;
        std::memcpy(&word, bytes.data() + at, sizeof word);
        if ((word & high_bits) != 0)
            return false;
    }
    return std::all_of(bytes.begin() + static_cast<std::ptrdiff_t>(at), bytes.end(),
                       [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

bool is_utf8(std::string_view bytes)
{
    namespace utf = boost::locale::utf;
    if (is_ascii(bytes))
        return true;
    const auto* at = bytes.begin();
    while (at != bytes.end()) {
        const auto point = utf::utf_traits<char>::decode(at, bytes.end());
        if (point == utf::illegal || point == utf::incomplete)
            return false;
    }
    return true;
}

/// What an endpoint may put into a close frame (RFC 6455, 7.4).
bool may_be_sent(unsigned code) noexcept
{
    if (code >= 3000)
        return code < 5000;
    return code >= 1000 && code <= 1014 && code != 1004 && code != 1005 && code != 1006;
}

} // namespace

/// The bytes that it takes; 0: it is not all there.
std::size_t FrameReader::read_header(std::span<const char> input)
{
    if (input.size() < 2)
        return 0;
    const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(input[at]); };
    const unsigned short_length = byte(1) & 0x7FU;
    const std::size_t length_bytes = short_length == 126 ? 2 : (short_length == 127 ? 8 : 0);
    const bool masked = (byte(1) & 0x80U) != 0;
    const std::size_t bytes = 2 + length_bytes + (masked ? sizeof header_.mask : 0);
    if (input.size() < bytes)
        return 0;
    header_.last = (byte(0) & 0x80U) != 0;
    header_.opcode = byte(0) & 0x0FU;
    header_.size = length_bytes == 0 ? short_length : 0;
    for (std::size_t i = 0; i < length_bytes; ++i)
        header_.size = (header_.size << 8U) | byte(2 + i);
    header_.left = header_.size;
    refusal_ = CloseCode::protocol_error;
    const bool shortest = length_bytes == 0 || header_.size > (length_bytes == 2 ? 125U : 0xFFFFU);
    const bool extended = (byte(0) & 0x70U) != 0; // no extension was agreed upon
    if (!masked || extended || !shortest || (header_.size >> 63U) != 0)
        header_.opcode = 0xF; // there is no such frame
    else
        std::memcpy(header_.mask, input.data() + 2 + length_bytes, sizeof header_.mask);
    return bytes;
}

/// Whether such a frame may come now. If not, `refusal_` tells why.
bool FrameReader::acceptable() noexcept
{
    if (is_control(header_.opcode))
        return header_.last && header_.size <= control_bytes_max &&
               (header_.opcode == close_frame || header_.opcode == ping_frame ||
                header_.opcode == pong_frame);
    if (header_.opcode > binary || (header_.opcode == continuation) != fragmented_)
        return false;
    if (header_.opcode == binary)
        refusal_ = CloseCode::unknown_data;
    else if (header_.size > message_bytes_max_ || gathered_.size() + header_.size > message_bytes_max_)
        refusal_ = CloseCode::too_big;
    else
        return true;
    return false;
}

FrameReader::Step FrameReader::next(std::span<char> input)
{
    if (std::exchange(delivered_, false)) {
        gathered_.clear();
        if (gathered_.capacity() > kept_bytes_max)
            gathered_.shrink_to_fit();
    }
    std::size_t used = 0;
    if (!in_frame_) {
        used = read_header(input);
        if (used == 0)
            return {};
        if (!acceptable())
            return fail(refusal_);
        in_frame_ = true;
    }
    const auto rest = input.subspan(used);
    const auto payload =
        rest.first(static_cast<std::size_t>(std::min<std::uint64_t>(header_.left, rest.size())));
    if (is_control(header_.opcode)) {
        if (payload.size() < header_.left) { // it is short: taken when it is all there
            in_frame_ = false;
            return {};
        }
        return control(payload, used + payload.size());
    }
    const bool whole =
        header_.left == header_.size && payload.size() == header_.size && header_.last && !fragmented_;
    unmask(payload);
    used += payload.size();
    header_.left -= payload.size();
    if (whole) {
        in_frame_ = false;
        return message({payload.data(), payload.size()}, used);
    }
    gathered_.append(payload.data(), payload.size());
    if (header_.left > 0)
        return {.used = used};
    in_frame_ = false;
    fragmented_ = !header_.last;
    if (fragmented_)
        return {.used = used};
    delivered_ = true;
    return message(gathered_, used);
}

FrameReader::Step FrameReader::message(std::string_view payload, std::size_t used)
{
    if (!is_utf8(payload))
        return fail(CloseCode::bad_payload);
    return {.found = Found::text, .used = used, .payload = payload};
}

FrameReader::Step FrameReader::control(std::span<char> payload, std::size_t used)
{
    in_frame_ = false;
    unmask(payload);
    const std::string_view told(payload.data(), payload.size());
    if (header_.opcode == close_frame)
        return closing(told, used);
    return {.found = header_.opcode == ping_frame ? Found::ping : Found::pong, .used = used, .payload = told};
}

FrameReader::Step FrameReader::closing(std::string_view payload, std::size_t used)
{
    if (payload.empty())
        return {.found = Found::close, .used = used};
    if (payload.size() < 2)
        return fail(CloseCode::protocol_error);
    const auto code = (static_cast<unsigned>(static_cast<unsigned char>(payload[0])) << 8U) |
                      static_cast<unsigned char>(payload[1]);
    if (!may_be_sent(code))
        return fail(CloseCode::protocol_error);
    if (!is_utf8(payload.substr(2)))
        return fail(CloseCode::bad_payload);
    return {.found = Found::close,
            .used = used,
            .payload = payload.substr(2),
            .code = static_cast<CloseCode>(code)};
}

/// The mask goes on where the part before stopped.
void FrameReader::unmask(std::span<char> payload) noexcept
{
    const auto begin = static_cast<std::size_t>(header_.size - header_.left);
    unsigned char turned[8];
    for (std::size_t i = 0; i < sizeof turned; ++i)
        turned[i] = header_.mask[(begin + i) % sizeof header_.mask];
    std::uint64_t mask = 0;
    std::memcpy(&mask, turned, sizeof mask);
    std::size_t at = 0;
    for (; at + sizeof mask <= payload.size(); at += sizeof mask) {
        std::uint64_t word = 0;
        std::memcpy(&word, payload.data() + at, sizeof word);
        word ^= mask;
        std::memcpy(payload.data() + at, &word, sizeof word);
    }
    for (; at < payload.size(); ++at)
        payload[at] = static_cast<char>(payload[at] ^ static_cast<char>(turned[at % sizeof turned]));
}

} // namespace coordination::ws
