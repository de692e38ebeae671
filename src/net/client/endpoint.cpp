#include "net/client/endpoint.hpp"

#include <charconv>

namespace coordination {

namespace {

constexpr std::uint16_t default_port = 80; // of http and ws alike

tl::expected<std::uint16_t, std::string> parse_port(std::string_view text)
{
    std::uint16_t port = 0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), port);
    if (failed != std::errc{} || end != text.data() + text.size() || port == 0)
        return tl::unexpected("\"" + std::string(text) + "\" is no port (1 to 65535)");
    return port;
}

tl::expected<Endpoint, std::string> parse_authority(std::string_view text)
{
    Endpoint endpoint{.host = {}, .port = default_port};
    std::string_view port;
    bool has_port = false;
    if (text.starts_with('[')) {
        const auto bracket = text.find(']');
        if (bracket == std::string_view::npos)
            return tl::unexpected<std::string>("the \"]\" after the IPv6 address is missing");
        endpoint.host = text.substr(1, bracket - 1);
        const auto rest = text.substr(bracket + 1);
        if (!rest.empty() && rest.front() != ':')
            return tl::unexpected<std::string>("only :PORT may follow the IPv6 address");
        has_port = !rest.empty();
        port = has_port ? rest.substr(1) : rest;
    } else {
        const auto colon = text.find(':');
        has_port = colon != std::string_view::npos;
        endpoint.host = text.substr(0, colon);
        port = has_port ? text.substr(colon + 1) : std::string_view{};
    }
    if (endpoint.host.empty())
        return tl::unexpected<std::string>("the host is missing");
    if (!has_port)
        return endpoint;
    const auto number = parse_port(port);
    if (!number)
        return tl::unexpected(number.error());
    endpoint.port = *number;
    return endpoint;
}

} // namespace

std::string Endpoint::authority() const
{
    const bool ipv6 = host.find(':') != std::string::npos;
    return (ipv6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

tl::expected<Endpoint, std::string> parse_endpoint(std::string_view url, std::string_view scheme)
{
    const std::string prefix = std::string(scheme) + "://";
    if (!url.starts_with(prefix))
        return tl::unexpected("it must start with " + prefix);
    auto rest = url.substr(prefix.size());
    if (rest.ends_with('/'))
        rest.remove_suffix(1);
    if (rest.find_first_of("/?#@ \t\r\n") != std::string_view::npos)
        return tl::unexpected("it must be " + prefix + "HOST:PORT and no more");
    return parse_authority(rest);
}

} // namespace coordination
