#include "support/http_peer.hpp"

#include <algorithm>
#include <cctype>
#include <stdexcept>

namespace coordination::testing {

namespace {

std::string lower(std::string_view text)
{
    std::string result(text);
    std::ranges::transform(result, result.begin(),
                           [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return result;
}

bool names(const Headers& headers, std::string_view name)
{
    return std::ranges::any_of(headers, [&](const auto& header) { return lower(header.first) == name; });
}

} // namespace

std::optional<std::string> HttpReply::header(std::string_view name) const
{
    const auto found = std::ranges::find(headers, name, &Headers::value_type::first);
    return found == headers.end() ? std::nullopt : std::optional(found->second);
}

std::string outcome(const HttpReply& reply)
{
    auto result = std::to_string(reply.status);
    if (reply.status < 400)
        return result;
    const auto document = reply.json();
    if (field(document, "success") != Json(false))
        throw std::runtime_error("a failure that claims success: " + reply.body);
    return result + " " + text(document, "code") + " " + text(document, "error");
}

HttpReply HttpPeer::get(std::string_view target, const Headers& headers)
{
    return request("GET", target, headers);
}

HttpReply HttpPeer::post(std::string_view target, std::string_view body, const Headers& headers)
{
    auto all = headers;
    if (!names(headers, "content-type"))
        all.emplace_back("Content-Type", "application/json");
    return request("POST", target, all, body);
}

HttpReply HttpPeer::request(std::string_view method, std::string_view target, const Headers& headers,
                            std::string_view body)
{
    std::string bytes;
    bytes.append(method).append(" ").append(target).append(" HTTP/1.1\r\n");
    if (!names(headers, "host"))
        bytes += "Host: " + host() + "\r\n";
    for (const auto& [name, value] : headers)
        bytes += name + ": " + value + "\r\n";
    if ((!body.empty() || method == "POST") && !names(headers, "content-length"))
        bytes += "Content-Length: " + std::to_string(body.size()) + "\r\n";
    bytes.append("\r\n").append(body);
    send(bytes);
    return read(method == "HEAD");
}

HttpReply HttpPeer::read(bool to_head)
{
    HttpReply reply;
    const auto status_line = line();
    if (!status_line.starts_with("HTTP/1.") || status_line.size() < 12)
        throw std::runtime_error("no status line: " + status_line);
    reply.version = status_line.substr(0, 8);
    reply.status = std::stoi(status_line.substr(9, 3));
    for (auto header = line(); !header.empty(); header = line()) {
        const auto colon = header.find(':');
        const auto value = header.find_first_not_of(' ', colon + 1);
        reply.headers.emplace_back(lower(header.substr(0, colon)),
                                   value == std::string::npos ? "" : header.substr(value));
    }
    if (to_head || reply.status < 200 || reply.status == 204 || reply.status == 304)
        return reply;
    if (const auto coding = reply.header("transfer-encoding"); coding == "chunked") {
        append_chunks(reply.body);
    } else if (const auto length = reply.header("content-length")) {
        append_bytes(reply.body, std::stoul(*length));
    } else {
        while (connection_.read_more())
            ;
        append_bytes(reply.body, connection_.unread().size());
    }
    return reply;
}

bool HttpPeer::closed()
{
    while (connection_.read_more())
        ;
    return true;
}

std::string HttpPeer::line()
{
    auto end = std::string_view::npos;
    while ((end = connection_.unread().find("\r\n")) == std::string_view::npos) {
        if (!connection_.read_more())
            throw std::runtime_error("the daemon hung up after '" + std::string(connection_.unread()) + "'");
    }
    std::string result(connection_.unread().substr(0, end));
    connection_.take(end + 2);
    return result;
}

void HttpPeer::append_bytes(std::string& to, std::size_t count)
{
    while (count > 0) {
        const auto part = connection_.unread().substr(0, count);
        to.append(part);
        count -= part.size();
        connection_.take(part.size());
        if (count > 0 && connection_.unread().empty() && !connection_.read_more())
            throw std::runtime_error("the daemon hung up within a body, " + std::to_string(count) +
                                     " bytes early");
    }
}

void HttpPeer::append_chunks(std::string& to)
{
    for (;;) {
        const auto size = std::stoul(line(), nullptr, 16);
        append_bytes(to, size);
        if (size == 0)
            break;
        if (!line().empty())
            throw std::runtime_error("a chunk is longer than it says");
    }
    while (!line().empty()) // trailers
        ;
}

} // namespace coordination::testing
