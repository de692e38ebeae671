#include "cli/ctl/cortex/import_progress.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace coordination::ctl {

std::string progress_bar(const ImportCounts& counts, std::size_t columns)
{
    const auto waiting = counts.total - std::min(counts.total, counts.ended + counts.running);
    const auto words = fmt::format(" {:>3} of {} ended, {} running, {} waiting", counts.ended, counts.total,
                                   counts.running, waiting);
    const std::size_t room = columns > words.size() + 3 ? columns - words.size() - 3 : 0;
    const auto width = std::min<std::size_t>(room, 40);
    if (width < 5)
        return words;
    const auto filled = counts.total == 0 ? width : counts.ended * width / counts.total;
    return "[" + std::string(filled, '#') + std::string(width - filled, '-') + "]" + words;
}

void ImportProgress::event(std::string_view line)
{
    if (!silent_ && !output_.is_terminal())
        output_.line(line);
}

void ImportProgress::notice(std::string_view line)
{
    if (silent_)
        return;
    clear();
    output_.line(line);
    if (output_.is_terminal() && counts_.total > 0)
        update(counts_);
}

void ImportProgress::update(const ImportCounts& counts)
{
    if (silent_ || !output_.is_terminal() || (drawn_ && counts == counts_))
        return;
    counts_ = counts;
    drawn_ = true;
    output_.write("\r\033[K" + progress_bar(counts, output_.columns()));
    output_.flush();
}

void ImportProgress::clear()
{
    if (!drawn_)
        return;
    output_.write("\r\033[K");
    output_.flush();
    drawn_ = false;
}

} // namespace coordination::ctl
