#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <tl/expected.hpp>

namespace coordination {

/// Where a daemon listens.
struct Endpoint {
    std::string host;
    std::uint16_t port = 0;

    /// As it stands in a URL and in the Host header: an IPv6 address in brackets.
    std::string authority() const;
};

/// Reads `scheme://host[:port][/]`. The error says what is wrong with the text. TLS is refused rather than
/// ignored: a daemon speaks none, and a user who asked for it must not get plain text.
tl::expected<Endpoint, std::string> parse_endpoint(std::string_view url, std::string_view scheme);

} // namespace coordination
