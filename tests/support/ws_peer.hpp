#pragma once

#include "support/http_peer.hpp"

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

namespace coordination::testing {

enum class Opcode : unsigned { continuation = 0, text = 1, binary = 2, close = 8, ping = 9, pong = 10 };

struct Frame {
    Opcode opcode = Opcode::text;
    std::string payload;
    bool fin = true;
    bool masked = true;
    unsigned rsv = 0; ///< the three reserved bits
};

/// The bytes of a frame as a client sends it.
std::string encoded(const Frame& frame);

/// A message from the daemon, and the very text of it.
struct Message {
    std::string raw;
    Json json;

    const Json& operator[](std::string_view path) const { return field(json, path); }
    std::string type() const { return text(json, "type"); }
};

/// One WebSocket to the daemon. Reads only when asked to, and answers pings while it does.
class WsPeer {
public:
    /// Throws when the daemon refuses the handshake.
    explicit WsPeer(std::uint16_t port, const Headers& headers = {}, std::string_view target = "/");

    /// The answer to the handshake, whatever it is.
    static HttpReply handshake(HttpPeer& http, const Headers& headers = {}, std::string_view target = "/");

    void send(std::string_view text) { send(Frame{Opcode::text, std::string(text)}); }
    void send(const Frame& frame) { http_.send(encoded(frame)); }
    void send_bytes(std::string_view bytes) { http_.send(bytes); }

    /// The next message. Throws at the deadline, and when the connection ends.
    Message next();

    /// The next message, which must be of this type.
    Message expect(std::string_view type);

    /// Sends an object with a `requestId` of its own added and returns the response to it. What else
    /// comes meanwhile is kept for next().
    Message call(std::string_view object);

    Frame next_frame(); ///< as it comes, pings and closes included

    /// Reads until the daemon hangs up, answers its close as a decent client does, and hangs up too. Says the
    /// close code: 1005 if the frame had none, 1006 if no close frame came.
    int close_code();

    /// Closes from this side and says what the daemon answered.
    int close(int code = 1000);

    void abort() { http_.connection().abort(); }
    Connection& connection() { return http_.connection(); }

private:
    std::optional<Frame> read_frame(); ///< none: the connection ended
    Message read_message();

    HttpPeer http_;
    std::deque<Message> inbox_;
    int requests_ = 0;
};

} // namespace coordination::testing
