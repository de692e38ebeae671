#include "net/option_check.hpp"

#include "core/limits.hpp"
#include "net/option_ranges.hpp"

#include <fmt/format.h>

#include <arpa/inet.h>

namespace coordination {
namespace {

using Fault = std::optional<std::string>;

Fault number_out_of_range(const DaemonOptions& options)
{
    Fault fault;
    const auto look = [&](const auto& entry) {
        const auto& [name, least, most] = entry.range;
        const auto& slot = options.*entry.field;
        std::uint64_t value = 0; // a negative one is beyond the most
        if constexpr (requires { slot.count(); })
            value = static_cast<std::uint64_t>(slot.count());
        else
            value = slot;
        if (!fault && (value < static_cast<std::uint64_t>(least) || value > static_cast<std::uint64_t>(most)))
            fault = fmt::format("{} must be from {} to {}", name, least, most);
    };
    std::apply([&look](const auto&... entries) { (look(entries), ...); }, option_ranges::all);
    return fault;
}

Fault path_missing(const DaemonOptions& options)
{
    if (options.persistence == Persistence::memory_only)
        return std::nullopt;
    if (options.snapshot_path.empty())
        return "snapshot_path must name a file";
    if (options.persistence == Persistence::write_ahead_log && options.wal_path.empty())
        return "wal_path must name a file";
    return std::nullopt;
}

Fault access_fault(const DaemonOptions& options)
{
    if (!options.listen)
        return std::nullopt;
    if (options.host.empty())
        return "host must name an address of this machine";
    if (!is_loopback(options.host) && options.token.empty() && !options.insecure)
        return fmt::format(
            "host '{}' lets other machines in: set token, or insecure if anyone there may use the "
            "daemon",
            options.host);
    for (const auto& origin : options.allow_origins)
        if (!is_origin(origin))
            return fmt::format("allow_origins: '{}' is not an origin like https://board.example:8443",
                               origin);
    return std::nullopt;
}

} // namespace

std::optional<std::string> fault_in(const DaemonOptions& options)
{
    if (auto fault = number_out_of_range(options))
        return fault;
    if (options.heartbeat_timeout <= options.heartbeat_interval)
        return fmt::format("heartbeat_timeout ({} ms) must be longer than heartbeat_interval ({} ms)",
                           options.heartbeat_timeout.count(), options.heartbeat_interval.count());
    for (const auto& limit : options.max_running)
        if (!running_limit_in(limit))
            return fmt::format("max_running: '{}' is not like capability:gpu=2 or field:repo=1", limit);
    if (auto fault = path_missing(options))
        return fault;
    return access_fault(options);
}

bool is_loopback(const std::string& host)
{
    if (host == "localhost")
        return true;
    in_addr v4{};
    if (inet_pton(AF_INET, host.c_str(), &v4) == 1)
        return ntohl(v4.s_addr) >> 24 == 127;
    in6_addr v6{};
    return inet_pton(AF_INET6, host.c_str(), &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

bool is_origin(std::string_view text)
{
    const auto scheme = text.find("://");
    if (scheme == std::string_view::npos ||
        (text.substr(0, scheme) != "http" && text.substr(0, scheme) != "https"))
        return false;
    const auto authority = text.substr(scheme + 3);
    return !authority.empty() && authority.find_first_of("/?#@ *") == std::string_view::npos;
}

} // namespace coordination
