#pragma once

#include <chrono>
#include <string>

#include <boost/asio/awaitable.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "cli/ctl/context.hpp"
#include "cli/ctl/failure.hpp"

namespace coordination::ctl {

/// What one frame of `top` shows.
struct TopView {
    std::string address;
    boost::json::object health;
    boost::json::object metrics;
    boost::json::array workers;
    boost::json::array tasks; ///< those that are held
};

/// The frame as text, no line wider than `columns` and no more than `rows` of them (0: no bound).
std::string top_frame(const TopView& view, std::int64_t now_ms, const Style& style, std::size_t columns,
                      std::size_t rows);

/// On a terminal: the frame, redrawn in place until q or Ctrl-C. Elsewhere: one frame.
boost::asio::awaitable<Outcome> top(ContextPtr context, std::chrono::milliseconds interval);

} // namespace coordination::ctl
