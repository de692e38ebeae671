#pragma once

#include <string>
#include <string_view>

namespace coordination::ctl {

enum class Colour { none, dim, bold, red, green, yellow, blue };

/// Colours where they are wanted, plain text elsewhere.
struct Style {
    bool colours = false;

    std::string paint(Colour colour, std::string_view text) const
    {
        const auto code = sequence(colour);
        if (!colours || code.empty())
            return std::string(text);
        return std::string(code) + std::string(text) + "\033[0m";
    }

private:
    static std::string_view sequence(Colour colour)
    {
        switch (colour) {
        case Colour::none:
            return "";
        case Colour::dim:
            return "\033[2m";
        case Colour::bold:
            return "\033[1m";
        case Colour::red:
            return "\033[31m";
        case Colour::green:
            return "\033[32m";
        case Colour::yellow:
            return "\033[33m";
        case Colour::blue:
            return "\033[34m";
        }
        return "";
    }
};

/// The colour in which the status of a worker or a task is shown.
inline Colour colour_of_status(std::string_view status)
{
    if (status == "completed" || status == "idle" || status == "healthy")
        return Colour::green;
    if (status == "in_progress" || status == "busy" || status == "assigned")
        return Colour::blue;
    if (status == "pending" || status == "draining" || status == "starting" || status == "degraded")
        return Colour::yellow;
    if (status == "failed" || status == "offline")
        return Colour::red;
    if (status == "cancelled")
        return Colour::dim;
    return Colour::none;
}

} // namespace coordination::ctl
