#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace coordination::ws {

/// Why a connection ends (RFC 6455, 7.4.1).
enum class CloseCode : std::uint16_t {
    normal = 1000,
    going_away = 1001,
    protocol_error = 1002,
    unknown_data = 1003,
    no_status = 1005, ///< never sent: a close frame may say nothing
    bad_payload = 1007,
    policy_error = 1008,
    too_big = 1009,
};

/// Cuts what a client sends into messages (RFC 6455, 5), with everything that a server must refuse. A message that
/// came whole is not copied: it is unmasked where it lies.
///
/// Why      Beast's stream costs a hop through the executor, a handler and a copy per frame; this costs a loop over
///          what one read brought in. Beast is its peer in the tests.
/// Bounds   A message has at most `message_bytes_max` bytes, over all of its fragments.
/// Threads  One.
class FrameReader {
public:
    explicit FrameReader(std::size_t message_bytes_max) noexcept : message_bytes_max_(message_bytes_max) {}

    enum class Found : std::uint8_t {
        nothing, ///< as yet; where no byte was used either, more are needed
        text,    ///< `payload` is a whole message
        ping,    ///< `payload` is to be sent back
        pong,
        close,   ///< the peer is done: `code` says why, or no_status
        failure, ///< the connection must be closed with `code`; nothing may be read any more
    };
    struct Step {
        Found found = Found::nothing;
        std::size_t used = 0;       ///< bytes of the input that this step took
        std::string_view payload{}; ///< valid until the next step, as the input is
        CloseCode code = CloseCode::no_status;
    };

    /// What `input`, the bytes behind those that were used, begins with. Writes into it.
    Step next(std::span<char> input);

private:
    struct Header {
        bool last = false;
        unsigned char opcode = 0;
        std::uint64_t left = 0; ///< of the payload
        std::uint64_t size = 0;
        unsigned char mask[4]{};
    };

    std::size_t read_header(std::span<const char> input);
    bool acceptable() noexcept;
    Step control(std::span<char> payload, std::size_t used);
    static Step closing(std::string_view payload, std::size_t used);
    static Step message(std::string_view payload, std::size_t used);
    void unmask(std::span<char> payload) noexcept;
    static Step fail(CloseCode code) noexcept { return {.found = Found::failure, .code = code}; }

    std::size_t message_bytes_max_;
    Header header_;
    bool in_frame_ = false;   ///< the header was read, its payload not yet all
    bool fragmented_ = false; ///< a message has begun whose last fragment has not come
    bool delivered_ = false;  ///< `gathered_` was a message's, which was told
    CloseCode refusal_ = CloseCode::protocol_error;
    std::string gathered_; ///< of a message that does not come whole
};

} // namespace coordination::ws
