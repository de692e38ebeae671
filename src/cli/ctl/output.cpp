#include "cli/ctl/output.hpp"

#include <cstdlib>
#include <string>

#include <sys/ioctl.h>
#include <unistd.h>

#include "cli/ctl/text.hpp"

namespace coordination::ctl {

namespace {

bool colours_wanted()
{
    const char* no_colour = std::getenv("NO_COLOR");
    const char* terminal = std::getenv("TERM");
    return (!no_colour || *no_colour == '\0') && terminal && std::string_view(terminal) != "dumb";
}

winsize window_of(std::FILE* file)
{
    winsize window{};
    if (ioctl(fileno(file), TIOCGWINSZ, &window) != 0)
        return {};
    return window;
}

} // namespace

Output::Output(std::FILE* file)
    : file_(file),
      terminal_(isatty(fileno(file)) == 1),
      style_{.colours = terminal_ && colours_wanted()}
{
}

std::size_t Output::columns() const
{
    return terminal_ ? window_of(file_).ws_col : 0;
}

std::size_t Output::rows() const
{
    return terminal_ ? window_of(file_).ws_row : 0;
}

void Output::write(std::string_view text) const
{
    std::fwrite(text.data(), 1, text.size(),
                file_); // a failure stays in the file's flag, which flush() reads
}

void Output::line(std::string_view text) const
{
    write(text);
    write("\n");
    std::fflush(file_);
}

void Output::json(std::string_view text) const
{
    while (text.ends_with('\n'))
        text.remove_suffix(1);
    if (terminal_)
        line(printable_json(text));
    else
        line(text);
}

bool Output::flush() const
{
    return std::fflush(file_) == 0 && std::ferror(file_) == 0;
}

} // namespace coordination::ctl
