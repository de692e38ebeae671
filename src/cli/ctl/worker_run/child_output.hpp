#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace coordination::ctl {

/// Cuts a stream into lines, without their newlines. A line longer than `line_bytes_max` comes in pieces.
class LineSplitter {
public:
    using Sink = std::function<void(std::string_view)>;

    static constexpr std::size_t line_bytes_max = 64U << 10U;

    void feed(std::string_view bytes, const Sink& sink);
    /// The last line, where it has no newline.
    void finish(const Sink& sink);

private:
    std::string begun_;
};

/// The end of a text that may be long: whole lines where they fit, valid UTF-8 in any case.
class OutputTail {
public:
    explicit OutputTail(std::size_t bytes_max) : bytes_max_(bytes_max) {}

    void add_line(std::string_view line);
    std::string text() const;

private:
    std::size_t bytes_max_;
    std::string kept_; // up to twice as much, so that cutting costs little per line
    bool cut_ = false;
};

/// The N of a line "progress N", 0 to 100.
std::optional<double> parse_progress(std::string_view line);

} // namespace coordination::ctl
