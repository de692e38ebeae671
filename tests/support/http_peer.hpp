#pragma once

#include "support/connection.hpp"
#include "support/json.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace coordination::testing {

using Headers = std::vector<std::pair<std::string, std::string>>;

struct HttpReply {
    int status = 0;
    std::string version; ///< "HTTP/1.1"
    Headers headers;     ///< names in lower case
    std::string body;    ///< whole, chunks joined

    std::optional<std::string> header(std::string_view name) const;

    Json json() const { return parse(body); }
    Json operator[](std::string_view path) const { return field(json(), path); }
};

/// "409 TASK_CONFLICT Task conflict": status, code and text of a failure; just the status where it was none.
/// Throws when a failure has not the one shape that the contract gives it.
std::string outcome(const HttpReply& reply);

/// One HTTP connection, kept alive, that can also send what no decent client would.
class HttpPeer {
public:
    explicit HttpPeer(std::uint16_t port) : port_(port), connection_(port) {}

    HttpReply get(std::string_view target, const Headers& headers = {});
    HttpReply post(std::string_view target, std::string_view body, const Headers& headers = {});
    HttpReply request(std::string_view method, std::string_view target, const Headers& headers = {},
                      std::string_view body = {});

    void send(std::string_view bytes) { connection_.write(bytes); }

    /// `to_head`: the answer to a HEAD request, which announces a body and has none.
    HttpReply read(bool to_head = false);

    /// Waits for the daemon to hang up; what it still sends before that is lost.
    bool closed();

    Connection& connection() { return connection_; }
    std::string host() const { return "127.0.0.1:" + std::to_string(port_); }

private:
    std::string line();
    void append_bytes(std::string& to, std::size_t count);
    void append_chunks(std::string& to);

    std::uint16_t port_;
    Connection connection_;
};

} // namespace coordination::testing
