#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/json/object.hpp>
#include <tl/expected.hpp>

#include "cli/ctl/context.hpp"
#include "cli/ctl/failure.hpp"

namespace coordination::ctl {

using Query = std::vector<std::pair<std::string_view, std::string>>;

/// `path` and `?name=value&…`, percent-encoded; a parameter without a value is left out.
std::string target_of(std::string_view path, const Query& query);
/// `path` and one more segment, percent-encoded.
std::string target_of(std::string_view path, std::string_view segment);

/// The text of the daemon's answer; a refusal and an absent daemon are failures that say what to do.
boost::asio::awaitable<tl::expected<std::string, Failure>> get_text(ContextPtr context, std::string target);
boost::asio::awaitable<tl::expected<std::string, Failure>> post_text(ContextPtr context, std::string target,
                                                                     boost::json::object body);

/// The same, read.
boost::asio::awaitable<tl::expected<boost::json::object, Failure>> get(ContextPtr context,
                                                                       std::string target);
boost::asio::awaitable<tl::expected<boost::json::object, Failure>>
post(ContextPtr context, std::string target, boost::json::object body);

/// What a command comes to that has this answer: it as JSON where that was asked for, else what `show` tells
/// of it.
Outcome show_answer(Context& context, const tl::expected<std::string, Failure>& text,
                    const std::function<void(const boost::json::object&)>& show);

/// The JSON object in `text`, or a failure that says that this is no daemon of ours.
tl::expected<boost::json::object, Failure> read_answer(const Context& context, std::string_view text);

} // namespace coordination::ctl
