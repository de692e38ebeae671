#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace coordination::ws {

/// What stands before the payload of an unmasked, unfragmented frame (RFC 6455, 5.2): what a server sends.
inline std::string_view frame_header(unsigned char opcode, std::size_t payload_bytes,
                                     char (&buffer)[10]) noexcept
{
    constexpr unsigned char last_fragment = 0x80;
    std::size_t size = 2;
    buffer[0] = static_cast<char>(last_fragment | opcode);
    std::size_t length_bytes = 0;
    if (payload_bytes < 126) {
        buffer[1] = static_cast<char>(payload_bytes);
    } else if (payload_bytes <= 0xFFFF) {
        buffer[1] = 126;
        length_bytes = 2;
    } else {
        buffer[1] = 127;
        length_bytes = 8;
    }
    for (std::size_t i = length_bytes; i > 0; --i)
        buffer[size++] = static_cast<char>((payload_bytes >> (8 * (i - 1))) & 0xFF);
    return {buffer, size};
}

inline constexpr unsigned char text_frame = 0x1;
inline constexpr unsigned char close_frame = 0x8;
inline constexpr unsigned char ping_frame = 0x9;
inline constexpr unsigned char pong_frame = 0xA;

} // namespace coordination::ws
