#pragma once

#include <charconv>
#include <cstddef>
#include <optional>
#include <string_view>

namespace coordination::bench {

/// One HTTP/1.1 message, framed by Content-Length (absent: no body).
struct HttpMessage {
    std::string_view head; // with the empty line
    std::string_view body;
    std::size_t bytes() const noexcept { return head.size() + body.size(); }
    /// Of a response.
    int status() const noexcept
    {
        int status = 0;
        if (head.size() > 12)
            std::from_chars(head.data() + 9, head.data() + 12, status);
        return status;
    }
};

/// The message at the front of `bytes`; none when more bytes must come first.
inline std::optional<HttpMessage> http_message_at(std::string_view bytes) noexcept
{
    const auto end = bytes.find("\r\n\r\n");
    if (end == std::string_view::npos)
        return std::nullopt;
    const auto head = bytes.substr(0, end + 4);
    constexpr std::string_view name = "\r\nContent-Length: ";
    const auto field = head.find(name);
    std::size_t length = 0;
    if (field != std::string_view::npos)
        std::from_chars(head.data() + field + name.size(), head.data() + head.size(), length);
    if (bytes.size() - head.size() < length)
        return std::nullopt;
    return HttpMessage{.head = head, .body = bytes.substr(head.size(), length)};
}

/// The text between `before` and the next quote; empty where there is none. Enough for ids, which hold no
/// quotes here.
inline std::string_view text_after(std::string_view json, std::string_view before) noexcept
{
    const auto start = json.find(before);
    if (start == std::string_view::npos)
        return {};
    const auto text = json.substr(start + before.size());
    return text.substr(0, text.find('"'));
}

} // namespace coordination::bench
