#include "net/http/access.hpp"

#include <boost/asio/ip/address.hpp>
#include <boost/beast/core/string.hpp>

#include <algorithm>
#include <charconv>
#include <cstdint>

namespace coordination {
namespace {

using boost::beast::iequals;

struct Authority {
    std::string_view host; ///< IPv6 without brackets
    std::optional<std::uint16_t> port;
};

std::optional<boost::asio::ip::address> address_in(std::string_view host)
{
    boost::system::error_code error;
    auto address = boost::asio::ip::make_address(host, error);
    if (error)
        return std::nullopt;
    return address;
}

bool is_loopback(std::string_view host)
{
    const auto address = address_in(host);
    return address ? address->is_loopback() : iequals(host, "localhost");
}

/// None where the text is more than a host and a port: a name may begin like ours and lead elsewhere.
std::optional<Authority> authority_in(std::string_view text)
{
    Authority authority;
    if (text.starts_with('[')) {
        const auto bracket = text.find(']');
        if (bracket == std::string_view::npos)
            return std::nullopt;
        authority.host = text.substr(1, bracket - 1);
        text.remove_prefix(bracket + 1);
    } else {
        authority.host = text.substr(0, text.find(':'));
        text.remove_prefix(authority.host.size());
    }
    if (authority.host.empty() || (!text.empty() && !text.starts_with(':')))
        return std::nullopt;
    if (text.size() > 1) { // "host:" names no port
        std::uint16_t port = 0;
        const char* const end = text.data() + text.size();
        const auto parsed = std::from_chars(text.data() + 1, end, port);
        if (parsed.ec != std::errc{} || parsed.ptr != end)
            return std::nullopt;
        authority.port = port;
    }
    return authority;
}

/// Takes the same time wherever the two differ, so that a token cannot be guessed piece by piece.
bool same_secret(std::string_view a, std::string_view b) noexcept
{
    std::size_t difference = a.size() ^ b.size();
    for (std::size_t i = 0; i < a.size(); ++i)
        difference |=
            static_cast<unsigned char>(a[i]) ^ static_cast<unsigned char>(b.empty() ? 0 : b[i % b.size()]);
    return difference == 0;
}

} // namespace

Access::Access(const DaemonOptions& options, std::uint16_t http_port, std::uint16_t ws_port)
    : host_(options.host),
      token_(options.token),
      allow_origins_(options.allow_origins),
      ports_{http_port, ws_port}
{
    if (const auto bracketed = authority_in(options.host); bracketed && !address_in(options.host))
        host_ = bracketed->host;
    any_address_ = !is_loopback(host_);
}

tl::expected<void, Error> Access::admit(const Credentials& credentials) const
{
    if (!credentials.host && credentials.host_required)
        return tl::unexpected(missing_field("Host"));
    if (credentials.host && token_.empty() && !is_our_host(*credentials.host))
        return tl::unexpected(Error{ErrorCode::forbidden_origin,
                                    "the Host header names another host: call this one by its "
                                    "address or as localhost"});
    if (credentials.origin && !is_our_origin(*credentials.origin, credentials.host) &&
        !is_allowed_origin(*credentials.origin))
        return tl::unexpected(Error{ErrorCode::forbidden_origin,
                                    "pages of this origin may not call: allow them with --allow-origin"});
    if (credentials.token_required && !bears_token(credentials.authorization))
        return tl::unexpected(
            Error{ErrorCode::unauthorized, "a token is asked for: send Authorization: Bearer TOKEN"});
    return {};
}

bool Access::is_allowed_origin(std::string_view origin) const
{
    return std::ranges::any_of(allow_origins_,
                               [&](const std::string& allowed) { return iequals(allowed, origin); });
}

bool Access::is_our_host(std::string_view header) const
{
    const auto named = authority_in(header);
    if (!named)
        return false;
    if (iequals(named->host, host_) || is_loopback(named->host))
        return true;
    return any_address_ && address_in(named->host);
}

bool Access::is_our_origin(std::string_view origin, std::optional<std::string_view> header) const
{
    const auto scheme_end = origin.find("://");
    if (scheme_end == std::string_view::npos || !header)
        return false; // "null"
    const auto authority = origin.substr(scheme_end + 3);
    const auto from = authority_in(authority);
    const auto to = authority_in(*header);
    if (!from || !to)
        return false;
    if (iequals(authority, *header))
        return true;
    // A page of one of our two ports may call the other, at the address that it came from itself.
    const bool same_host =
        iequals(from->host, to->host) || (is_loopback(from->host) && is_loopback(to->host));
    return same_host && from->port && std::ranges::find(ports_, *from->port) != ports_.end();
}

bool Access::bears_token(std::optional<std::string_view> authorization) const
{
    if (token_.empty())
        return true;
    constexpr std::string_view scheme = "Bearer ";
    if (!authorization || !iequals(authorization->substr(0, scheme.size()), scheme))
        return false;
    return same_secret(authorization->substr(scheme.size()), token_);
}

} // namespace coordination
