#include "net/http/access.hpp"

#include <boost/asio/ip/address.hpp>
#include <boost/beast/core/string.hpp>

#include <algorithm>
#include <charconv>

namespace coordination {
namespace {

using boost::beast::iequals;

struct Authority {
    std::string_view host; ///< IPv6 without brackets
    std::string_view port; ///< empty: none was written
};

Authority split(std::string_view authority) noexcept
{
    if (authority.starts_with('[')) {
        const auto bracket = authority.find(']');
        if (bracket == std::string_view::npos)
            return {authority, {}};
        const auto rest = authority.substr(bracket + 1);
        return {authority.substr(1, bracket - 1),
                rest.starts_with(':') ? rest.substr(1) : std::string_view{}};
    }
    const auto colon = authority.rfind(':');
    if (colon == std::string_view::npos)
        return {authority, {}};
    return {authority.substr(0, colon), authority.substr(colon + 1)};
}

std::optional<boost::asio::ip::address> address_in(std::string_view host)
{
    boost::system::error_code error;
    const auto address = boost::asio::ip::make_address(host, error);
    if (error)
        return std::nullopt;
    return address;
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
    : host_(split(options.host).host),
      token_(options.token),
      allow_origins_(options.allow_origins),
      ports_{http_port, ws_port}
{
    if (address_in(options.host)) // not split: an IPv6 address is written without brackets here
        host_ = options.host;
    const auto address = address_in(host_);
    any_address_ = address ? !address->is_loopback() : !iequals(host_, "localhost");
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

bool Access::is_our_host(std::string_view authority) const
{
    const auto host = split(authority).host;
    if (iequals(host, "localhost") || iequals(host, host_))
        return true;
    const auto address = address_in(host);
    return address && (any_address_ || address->is_loopback());
}

bool Access::is_our_origin(std::string_view origin, std::optional<std::string_view> host) const
{
    const auto scheme_end = origin.find("://");
    if (scheme_end == std::string_view::npos)
        return false; // "null"
    const auto authority = origin.substr(scheme_end + 3);
    if (host && iequals(authority, *host))
        return true;
    // A page of one of our two ports may call the other.
    const auto [name, port] = split(authority);
    std::uint16_t number = 0;
    const auto parsed = std::from_chars(port.data(), port.data() + port.size(), number);
    const bool ours = parsed.ec == std::errc{} && std::ranges::find(ports_, number) != ports_.end();
    return ours && is_our_host(name);
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
