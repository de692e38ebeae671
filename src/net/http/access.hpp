#pragma once

#include "core/error.hpp"
#include "net/options.hpp"

#include <tl/expected.hpp>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace coordination {

/// Who may call. A web page that a user of this machine has open must not: a name of its own that leads here
/// (DNS rebinding) is found out by the Host header, a call across sites by its Origin.
class Access {
public:
    Access(const DaemonOptions& options, std::uint16_t http_port, std::uint16_t ws_port);

    /// What a request shows of where it comes from.
    struct Credentials {
        std::optional<std::string_view> host{};
        std::optional<std::string_view> origin{};
        std::optional<std::string_view> authorization{};
        bool host_required = true;  ///< HTTP/1.1
        bool token_required = true; ///< not for the health check, nor for a preflight, which cannot bear one
    };
    tl::expected<void, Error> admit(const Credentials& credentials) const;

    /// Whether the pages of a foreign origin may call: they need to be told so.
    bool is_allowed_origin(std::string_view origin) const;

private:
    bool is_our_host(std::string_view header) const;
    bool is_our_origin(std::string_view origin, std::optional<std::string_view> header) const;
    bool bears_token(std::optional<std::string_view> authorization) const;

    std::string host_;
    bool any_address_ = false; ///< other machines may call: by whatever address they know us
    std::string token_;
    std::vector<std::string> allow_origins_;
    std::array<std::uint16_t, 2> ports_;
};

} // namespace coordination
