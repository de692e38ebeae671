#include "cli/ctl/screen.hpp"

#include <cstdio>
#include <string>

#include <fcntl.h>
#include <unistd.h>

namespace coordination::ctl {

namespace {

void put(std::string_view text)
{
    std::fwrite(text.data(), 1, text.size(), stdout);
    std::fflush(stdout);
}

} // namespace

Screen::Screen() : keyboard_(::open("/dev/tty", O_RDONLY | O_CLOEXEC))
{
    if (keyboard_ >= 0 && tcgetattr(keyboard_, &before_) == 0) {
        auto keys = before_;
        keys.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
        keys.c_cc[VMIN] = 1;
        keys.c_cc[VTIME] = 0;
        tcsetattr(keyboard_, TCSANOW, &keys);
    }
    put("\033[?1049h\033[?25l");
}

Screen::~Screen()
{
    put("\033[?25h\033[?1049l");
    if (keyboard_ < 0)
        return;
    tcsetattr(keyboard_, TCSANOW, &before_);
    ::close(keyboard_);
}

void Screen::draw(std::string_view frame) const
{
    std::string text = "\033[H";
    for (const char c : frame) {
        if (c == '\n')
            text += "\033[K";
        text += c;
    }
    put(text + "\033[K\033[J");
}

} // namespace coordination::ctl
