#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace coordination::ctl {

/// Text from the daemon or a child for a terminal: control characters, direction overrides and bytes
/// that are no UTF-8 come out as `\n`, `\u001b`, …, so that a task's title can neither move the cursor
/// nor forge a line.
std::string printable(std::string_view text);

/// The same for JSON, which stays the same JSON: its layout is kept, and what needs it
/// is escaped within strings.
std::string printable_json(std::string_view json);

/// Columns that the text takes on a terminal.
std::size_t display_width(std::string_view text);

/// At most `columns` wide, with `…` where something was cut off.
std::string shortened(std::string_view text, std::size_t columns);

/// Text that is valid UTF-8: each bad byte becomes U+FFFD.
std::string valid_utf8(std::string_view text);

/// "3s", "4m 10s", "2h 5m", "12d 3h": the two largest units.
std::string duration_text(std::chrono::milliseconds duration);

/// "3s ago", or "-" for a time of 0. A clock that runs ahead of ours shows as "0s ago".
std::string age_text(std::int64_t time_ms, std::int64_t now_ms);

/// "1,234,567".
std::string grouped(std::int64_t number);

std::int64_t now_ms();

} // namespace coordination::ctl
