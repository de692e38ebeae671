#include "bench/load/client.hpp"

#include "bench/load/http.hpp"
#include "bench/load/websocket.hpp"

#include <fmt/format.h>

namespace coordination::bench {

WsLink::WsLink(Loop& loop, std::uint16_t port, int receive_buffer)
    : Link(loop, connect_to(port, receive_buffer))
{
    out() +=
        fmt::format("GET / HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
                    port);
}

void WsLink::send_text(std::string_view text)
{
    append_masked_frame(out(), text);
}

std::size_t WsLink::received(std::string_view bytes)
{
    std::size_t used = 0;
    if (!open_) {
        const auto message = http_message_at(bytes);
        if (!message)
            return 0;
        if (message->status() != 101)
            give_up(fmt::format("the upgrade was answered {}", bytes.substr(0, 200)));
        open_ = true;
        used = message->bytes();
        opened();
    }
    while (const auto frame = frame_at(bytes.substr(used))) {
        used += frame->bytes;
        if (frame->opcode == Frame::text)
            text(frame->payload);
        else if (frame->opcode == Frame::ping)
            append_masked_frame(out(), frame->payload, 10);
    }
    return used;
}

HttpLink::HttpLink(Loop& loop, std::uint16_t port) : Link(loop, connect_to(port)) {}

std::size_t HttpLink::received(std::string_view bytes)
{
    std::size_t used = 0;
    while (const auto message = http_message_at(bytes.substr(used))) {
        used += message->bytes();
        reply(message->status(), message->body);
    }
    return used;
}

void HttpLink::lost(std::string_view why)
{
    give_up(fmt::format("an HTTP connection was lost: {}", why));
}

std::string http_post(std::string_view path, std::string_view body)
{
    return fmt::format("POST {} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                       "Content-Length: {}\r\n\r\n{}",
                       path, body.size(), body);
}

std::string http_get(std::string_view path)
{
    return fmt::format("GET {} HTTP/1.1\r\nHost: localhost\r\n\r\n", path);
}

} // namespace coordination::bench
