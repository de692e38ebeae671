#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace coordination::bench {

/// RFC 6455 framing, as little of it as two known peers need: whole text frames, ping, pong and close.
struct Frame {
    unsigned opcode;
    bool masked;
    /// Still masked, where it is.
    std::string_view payload;
    std::uint32_t mask;
    std::size_t bytes;

    static constexpr unsigned text = 1;
    static constexpr unsigned close = 8;
    static constexpr unsigned ping = 9;
};

/// The frame at the front of `bytes`; none when more bytes must come first.
std::optional<Frame> frame_at(std::string_view bytes) noexcept;

/// Server to client.
void append_frame(std::string& out, std::string_view payload, unsigned opcode = Frame::text);
/// Client to server: masked, with a key that is the same for all, as nothing between can be deceived here.
void append_masked_frame(std::string& out, std::string_view payload, unsigned opcode = Frame::text);
/// Puts the unmasked payload into `into`.
void unmask(const Frame& frame, std::string& into);

} // namespace coordination::bench
