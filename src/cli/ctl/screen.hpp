#pragma once

#include <string_view>

#include <termios.h>

namespace coordination::ctl {

/// The whole terminal for a while: the other screen, no cursor, keys as they are pressed. The destructor
/// gives it back as it was.
class Screen {
public:
    Screen();
    ~Screen();
    Screen(const Screen&) = delete;
    Screen& operator=(const Screen&) = delete;

    /// Puts the frame over the last one, without a flicker in between.
    void draw(std::string_view frame) const;

    /// To read keys from; -1 where there is no keyboard.
    int keyboard() const { return keyboard_; }

private:
    int keyboard_; // opened anew, so that whoever reads it without blocking does not do so to the shell
    termios before_{};
};

} // namespace coordination::ctl
