#include "cli/ctl/worker_run/child_output.hpp"

#include <charconv>

#include "cli/ctl/text.hpp"

namespace coordination::ctl {

void LineSplitter::feed(std::string_view bytes, const Sink& sink)
{
    while (!bytes.empty()) {
        const auto newline = bytes.find('\n');
        const auto room = line_bytes_max - begun_.size();
        if (newline == std::string_view::npos && bytes.size() < room) {
            begun_ += bytes;
            return;
        }
        const bool whole = newline != std::string_view::npos && newline <= room;
        const auto taken = whole ? newline : room;
        begun_ += bytes.substr(0, taken);
        sink(begun_);
        begun_.clear();
        bytes.remove_prefix(taken + (whole ? 1 : 0));
    }
}

void LineSplitter::finish(const Sink& sink)
{
    if (!begun_.empty())
        sink(begun_);
    begun_.clear();
}

void OutputTail::add_line(std::string_view line)
{
    kept_ += line;
    kept_ += '\n';
    if (kept_.size() > 2 * bytes_max_) {
        kept_.erase(0, kept_.size() - bytes_max_);
        cut_ = true;
    }
}

std::string OutputTail::text() const
{
    std::string_view tail = kept_;
    bool cut = cut_;
    if (tail.size() > bytes_max_) {
        tail.remove_prefix(tail.size() - bytes_max_);
        cut = true;
    }
    if (cut) { // the first line is most likely not whole
        const auto newline = tail.find('\n');
        if (newline + 1 < tail.size())
            tail.remove_prefix(newline + 1);
    }
    if (tail.ends_with('\n'))
        tail.remove_suffix(1);
    return valid_utf8(tail);
}

std::optional<double> parse_progress(std::string_view line)
{
    constexpr std::string_view word = "progress ";
    if (!line.starts_with(word))
        return std::nullopt;
    auto number = line.substr(word.size());
    number.remove_suffix(number.size() - (number.find_last_not_of(" \r\t") + 1));
    double value = 0;
    const auto* end = number.data() + number.size();
    const auto [stopped, failed] = std::from_chars(number.data(), end, value);
    if (failed != std::errc{} || stopped != end || !(value >= 0 && value <= 100))
        return std::nullopt;
    return value;
}

} // namespace coordination::ctl
