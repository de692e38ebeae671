#include "net/client/parse_object.hpp"

#include <utility>

#include <boost/json/parse.hpp>

namespace coordination::net_client {

namespace json = boost::json;

std::optional<json::object> parse_object(std::string_view text)
{
    // The most that a daemon can be set to, and room for what it wraps around a value. Boost's own is 32.
    constexpr std::size_t depth_max = 1'024 + 16;
    json::parse_options options;
    options.max_depth = depth_max;
    boost::system::error_code error;
    auto value = json::parse(text, error, {}, options);
    if (error || !value.is_object())
        return std::nullopt;
    return std::move(value.get_object());
}

} // namespace coordination::net_client
