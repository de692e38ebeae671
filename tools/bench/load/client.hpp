#pragma once

#include "bench/load/loop.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace coordination::bench {

/// A WebSocket client: upgrades, then sends and receives text frames; pings are answered.
class WsLink : public Link {
public:
    WsLink(Loop& loop, std::uint16_t port, int receive_buffer = 0);

    void send_text(std::string_view text);
    bool open() const noexcept { return open_; }

protected:
    virtual void opened() = 0;
    virtual void text(std::string_view payload) = 0;

private:
    std::size_t received(std::string_view bytes) final;

    bool open_ = false;
};

/// An HTTP/1.1 client that keeps its connection; requests are put whole into out(), replies come in their
/// order.
class HttpLink : public Link {
public:
    HttpLink(Loop& loop, std::uint16_t port);

protected:
    virtual void reply(int status, std::string_view body) = 0;
    void lost(std::string_view why) override;

private:
    std::size_t received(std::string_view bytes) final;
};

std::string http_post(std::string_view path, std::string_view body);
std::string http_get(std::string_view path);

} // namespace coordination::bench
