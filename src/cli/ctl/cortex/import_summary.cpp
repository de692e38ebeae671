#include "cli/ctl/cortex/import_summary.hpp"

#include <boost/json/array.hpp>
#include <fmt/format.h>

#include "cli/ctl/text.hpp"

namespace coordination::ctl {

namespace json = boost::json;

namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

std::string listed(const std::vector<std::string>& ids)
{
    constexpr std::size_t shown_max = 5;
    std::string text;
    for (std::size_t i = 0; i < ids.size() && i < shown_max; ++i)
        text += (i == 0 ? "" : ", ") + printable(ids[i]);
    if (ids.size() > shown_max)
        text += fmt::format(" and {} more", ids.size() - shown_max);
    return text;
}

json::array array_of(const std::vector<std::string>& ids)
{
    json::array array;
    for (const auto& id : ids)
        array.emplace_back(id);
    return array;
}

json::array array_of(const Pairs& pairs, const char* second)
{
    json::array array;
    for (const auto& [id, value] : pairs)
        array.push_back(json::object{{"id", id}, {second, value}});
    return array;
}

} // namespace

std::string summary_text(const ImportSummary& summary)
{
    auto text = fmt::format("{} tasks in {}\n", summary.tasks, printable(summary.file));
    const auto line = [&](std::size_t count, const std::string& what) {
        if (count > 0)
            text += fmt::format("{:>5} {}\n", count, what);
    };
    line(summary.finished, "finished before, imported as they ended");
    line(summary.already_there, "already in the daemon, not handed out again");
    line(summary.handed_out, "handed out");
    line(summary.completed, "completed");
    line(summary.failed, "failed: see coordctl task ls --status failed");
    line(summary.running, "still running");
    line(summary.waiting, "not handed out yet: run the import again");
    line(summary.blocked.size(),
         "not handed out, since what they wait for did not complete: " + listed(summary.blocked));
    line(summary.left_alone.size(),
         "left alone, since somebody may be at them (--include-assigned takes those that were begun): " +
             listed(summary.left_alone));
    for (const auto& [id, why] : summary.refused)
        text += fmt::format("      {} was not taken: {}\n", printable(id), why);
    for (const auto& [id, dependency] : summary.unchecked)
        text += fmt::format("      {} did not wait for {}, which is not in the daemon\n", printable(id),
                            printable(dependency));
    return text;
}

json::object summary_json(const ImportSummary& summary)
{
    return {{"file", summary.file},
            {"tasks", summary.tasks},
            {"importedFinished", summary.finished},
            {"alreadyThere", summary.already_there},
            {"handedOut", summary.handed_out},
            {"completed", summary.completed},
            {"failed", summary.failed},
            {"running", summary.running},
            {"waiting", summary.waiting},
            {"leftAlone", array_of(summary.left_alone)},
            {"blocked", array_of(summary.blocked)},
            {"refused", array_of(summary.refused, "error")},
            {"uncheckedDependencies", array_of(summary.unchecked, "dependency")}};
}

} // namespace coordination::ctl
