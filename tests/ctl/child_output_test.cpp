#include "cli/ctl/worker_run/child_output.hpp"

#include <catch2/catch.hpp>

#include <vector>

using namespace coordination::ctl;

namespace {

std::vector<std::string> split(const std::vector<std::string>& blocks)
{
    std::vector<std::string> lines;
    LineSplitter splitter;
    const LineSplitter::Sink sink = [&](std::string_view line) { lines.emplace_back(line); };
    for (const auto& block : blocks)
        splitter.feed(block, sink);
    splitter.finish(sink);
    return lines;
}

} // namespace

TEST_CASE("a stream is cut into lines wherever its blocks end", "[child]")
{
    using Lines = std::vector<std::string>;
    CHECK(split({"a\nb\n"}) == Lines{"a", "b"});
    CHECK(split({"a", "b\n", "\nc"}) == Lines{"ab", "", "c"});
    CHECK(split({""}).empty());
    const std::string longest(LineSplitter::line_bytes_max, 'x');
    CHECK(split({longest + "\n"}) == Lines{longest});
    CHECK(split({longest, "\n"}) == Lines{longest, ""});
    CHECK(split({longest + longest + "yz\n"}) == Lines{longest, longest, "yz"});
}

TEST_CASE("only a progress line from 0 to 100 is one", "[child]")
{
    CHECK(parse_progress("progress 0") == 0.0);
    CHECK(parse_progress("progress 100\r") == 100.0);
    CHECK(parse_progress("progress 12.5 ") == 12.5);
    for (const auto* other : {"progress", "progress ", "progress x", "progress 101", "progress -1",
                              "progress nan", "progress 5%", "Progress 5", " progress 5", "progress 5 of 7"})
        CHECK_FALSE(parse_progress(other).has_value());
}

TEST_CASE("of a long output the last lines are kept, whole", "[child]")
{
    OutputTail tail{20};
    tail.add_line("short");
    CHECK(tail.text() == "short");
    for (int i = 0; i < 100; ++i)
        tail.add_line("line " + std::to_string(i));
    CHECK(tail.text() == "line 98\nline 99");

    OutputTail one_line{10};
    one_line.add_line(std::string(100, 'x'));
    CHECK(one_line.text() == std::string(9, 'x'));

    OutputTail torn{8};
    torn.add_line("üüüüüüüü"); // two bytes each: the cut falls into one
    CHECK(torn.text() == "\uFFFDüüü");
}
