#include "support/ws_peer.hpp"

#include <array>
#include <stdexcept>

namespace coordination::testing {

namespace {

// The example of RFC 6455, section 1.3, so that no SHA-1 is needed here.
constexpr std::string_view key = "dGhlIHNhbXBsZSBub25jZQ==";
constexpr std::string_view accepted_key = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

constexpr std::array<unsigned char, 4> mask{0x37, 0xfa, 0x21, 0x3d};

void append_big_endian(std::string& to, std::uint64_t value, int bytes)
{
    for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8)
        to.push_back(static_cast<char>(value >> shift & 0xff));
}

std::uint64_t big_endian(std::string_view bytes)
{
    std::uint64_t value = 0;
    for (const char byte : bytes)
        value = value << 8 | static_cast<unsigned char>(byte);
    return value;
}

int code_in(const Frame& close)
{
    return close.payload.size() < 2 ? 1005 : int(big_endian(close.payload.substr(0, 2)));
}

} // namespace

std::string encoded(const Frame& frame)
{
    std::string bytes;
    const unsigned first = (frame.fin ? 0x80U : 0U) | frame.rsv << 4 | static_cast<unsigned>(frame.opcode);
    bytes.push_back(static_cast<char>(first));
    const auto size = frame.payload.size();
    const unsigned masked = frame.masked ? 0x80U : 0U;
    if (size < 126) {
        bytes.push_back(static_cast<char>(masked | static_cast<unsigned>(size)));
    } else if (size < 65536) {
        bytes.push_back(static_cast<char>(masked | 126U));
        append_big_endian(bytes, size, 2);
    } else {
        bytes.push_back(static_cast<char>(masked | 127U));
        append_big_endian(bytes, size, 8);
    }
    if (!frame.masked)
        return bytes + frame.payload;
    for (const auto byte : mask)
        bytes.push_back(static_cast<char>(byte));
    for (std::size_t i = 0; i < size; ++i)
        bytes.push_back(static_cast<char>(static_cast<unsigned char>(frame.payload[i]) ^ mask[i % 4]));
    return bytes;
}

HttpReply WsPeer::handshake(HttpPeer& http, const Headers& headers, std::string_view target)
{
    Headers all{{"Upgrade", "websocket"},
                {"Connection", "Upgrade"},
                {"Sec-WebSocket-Key", std::string(key)},
                {"Sec-WebSocket-Version", "13"}};
    all.insert(all.end(), headers.begin(), headers.end());
    return http.request("GET", target, all);
}

WsPeer::WsPeer(std::uint16_t port, const Headers& headers, std::string_view target) : http_(port)
{
    const auto reply = handshake(http_, headers, target);
    if (reply.status != 101 || reply.header("sec-websocket-accept") != accepted_key)
        throw std::runtime_error("the handshake was refused: " + std::to_string(reply.status) + " " +
                                 reply.body);
    if (reply.header("sec-websocket-extensions"))
        throw std::runtime_error("an extension that nobody offered");
}

std::optional<Frame> WsPeer::read_frame()
{
    auto& connection = http_.connection();
    const auto have = [&](std::size_t bytes) {
        while (connection.unread().size() < bytes) {
            if (!connection.read_more())
                return false;
        }
        return true;
    };
    if (!have(2))
        return std::nullopt;
    const auto first = static_cast<unsigned char>(connection.unread()[0]);
    const auto second = static_cast<unsigned char>(connection.unread()[1]);
    if (second & 0x80U || first & 0x70U)
        throw std::runtime_error("the daemon sent a masked frame or reserved bits");
    const std::size_t extra = second == 127 ? 8 : second == 126 ? 2 : 0;
    if (!have(2 + extra))
        return std::nullopt;
    const auto size = extra ? big_endian(connection.unread().substr(2, extra)) : std::uint64_t{second};
    if (!have(2 + extra + size))
        return std::nullopt;
    Frame frame{.opcode = static_cast<Opcode>(first & 0x0fU),
                .payload = std::string(connection.unread().substr(2 + extra, size)),
                .fin = (first & 0x80U) != 0,
                .masked = false};
    connection.take(2 + extra + size);
    return frame;
}

Frame WsPeer::next_frame()
{
    auto frame = read_frame();
    if (!frame)
        throw std::runtime_error("the connection ended");
    return *frame;
}

Message WsPeer::read_message()
{
    std::string whole;
    for (;;) {
        auto frame = next_frame();
        if (frame.opcode == Opcode::close)
            throw std::runtime_error("the daemon closed with " + std::to_string(code_in(frame)) + " " +
                                     frame.payload.substr(std::min<std::size_t>(2, frame.payload.size())));
        if (frame.opcode == Opcode::ping)
            send(Frame{Opcode::pong, frame.payload});
        if (frame.opcode == Opcode::binary)
            throw std::runtime_error("a binary frame from the daemon");
        if (frame.opcode != Opcode::text && frame.opcode != Opcode::continuation)
            continue;
        whole += frame.payload;
        if (frame.fin)
            return {whole, parse(whole)};
    }
}

Message WsPeer::next()
{
    if (inbox_.empty())
        return read_message();
    auto message = std::move(inbox_.front());
    inbox_.pop_front();
    return message;
}

Message WsPeer::expect(std::string_view type)
{
    auto message = next();
    if (message.type() != type)
        throw std::runtime_error("expected '" + std::string(type) + "', got " + message.raw.substr(0, 2000));
    return message;
}

Message WsPeer::call(std::string_view object)
{
    const auto id = "call-" + std::to_string(++requests_);
    std::string request(object);
    request.insert(request.find('{') + 1, "\"requestId\":\"" + id + "\",");
    send(request);
    for (;;) {
        auto message = read_message();
        if (message.type() == "response" && text(message.json, "requestId") == id)
            return message;
        inbox_.push_back(std::move(message));
    }
}

int WsPeer::close_code()
{
    int code = 1006;
    while (const auto frame = read_frame()) {
        if (frame->opcode != Opcode::close)
            continue;
        code = code_in(*frame);
        // Where the daemon has hung up already, nobody is left to take the answer.
        http_.connection().write_until_answered(encoded({Opcode::close, frame->payload}));
    }
    http_.connection().hang_up();
    return code;
}

int WsPeer::close(int code)
{
    std::string payload;
    append_big_endian(payload, static_cast<std::uint64_t>(code), 2);
    send(Frame{Opcode::close, payload});
    return close_code();
}

} // namespace coordination::testing
