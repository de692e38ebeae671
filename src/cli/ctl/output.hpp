#pragma once

#include <cstdio>
#include <string_view>

#include "cli/ctl/style.hpp"

namespace coordination::ctl {

/// Standard output or standard error, and what may be written to it.
class Output {
public:
    /// Colours go to a terminal alone, and not there where NO_COLOR is set or TERM is dumb.
    explicit Output(std::FILE* file);

    bool is_terminal() const { return terminal_; }
    const Style& style() const { return style_; }
    /// The width of the terminal as it is now; 0 where there is none.
    std::size_t columns() const;
    std::size_t rows() const;

    void write(std::string_view text) const;
    /// With a newline, and out at once: the line may be all for an hour.
    void line(std::string_view text) const;
    /// JSON as the daemon sent it, and a newline; made harmless where it goes to a terminal.
    void json(std::string_view text) const;
    /// Whether everything reached the file.
    bool flush() const;

private:
    std::FILE* file_;
    bool terminal_;
    Style style_;
};

} // namespace coordination::ctl
