#include "ctl/ctl_process.hpp"
#include "support/api.hpp"

#include <catch2/catch.hpp>

#include <filesystem>

using namespace coordination::testing;

namespace {

/// A daemon's state with two tasks in the log, the daemon killed.
struct Left : TempDir {
    Left()
    {
        DaemonProcess daemon(*this, args);
        Api api(daemon);
        api.register_worker("w1");
        api.assign("t1");
        api.assign("t2");
        daemon.kill();
    }

    Ended look(const char* verb, Arguments more = {}) const
    {
        Arguments arguments{"state", verb, path().string()};
        arguments.insert(arguments.end(), more.begin(), more.end());
        CtlProcess process(1, 1, arguments); // no daemon is asked
        return process.wait();
    }

    std::string log = file("wal.log");
    std::string segment = file("wal.log.00000001");
    Arguments args{"--persistence",   "write-ahead-log",           "--wal-path",          log,
                   "--snapshot-path", file("state-snapshot.json"), "--wal-sync-interval", "0"};
};

} // namespace

SCENARIO("what a daemon has left on the disk is verified and dumped without it", "[coordctl][state]")
{
    const Left left;
    const auto verified = left.look("verify");
    INFO(verified.out << verified.err);
    CHECK(verified.status == 0);
    CHECK_THAT(verified.out, Catch::Contains("wal.log.00000001  segment") &&
                                 Catch::Contains("good at revision 7: workers 1, tasks 2"));
    const auto as_json = parse(left.look("verify", {"--json"}).out);
    CHECK(number(as_json, "revision") == 7);
    CHECK(text(as_json, "found.0.kind") == "segment");

    const auto dumped = left.look("dump");
    CHECK(dumped.status == 0);
    std::vector<std::string> operations;
    std::istringstream lines(dumped.out);
    for (std::string line; std::getline(lines, line);)
        if (const auto change = parse(line); change.as_object().contains("operation"))
            operations.push_back(text(change, "collection") + " " + text(change, "value.id"));
    CHECK(operations ==
          std::vector<std::string>{"workers w1", "tasks t1", "workers w1", "tasks t2", "workers w1"});
}

SCENARIO("a damaged log is told by verify, and cut by repair, so that a daemon starts again",
         "[coordctl][state]")
{
    const Left left;
    auto bytes = read_file(left.segment);
    bytes[48 + 40 + 20] ^= 1; // in the first record
    write_file(left.segment, bytes);

    const auto refused = DaemonProcess::run(left, left.args);
    CHECK(refused.status == 1);
    CHECK_THAT(refused.err, Catch::Contains(left.segment + ": damaged at byte 48, behind revision 0") &&
                                Catch::Contains("coordctl state repair " + left.path().string()));
    const auto verified = left.look("verify");
    CHECK(verified.status == 1);
    CHECK_THAT(verified.err, Catch::Contains("damaged at byte 48"));

    const auto repaired = left.look("repair");
    INFO(repaired.out << repaired.err);
    CHECK(repaired.status == 0);
    CHECK(read_file(left.segment + ".damaged") == bytes);
    CHECK(left.look("verify").status == 0);
    CHECK_THAT(left.look("repair").out, Catch::Contains("nothing to repair"));
    DaemonProcess daemon(left, left.args);
    CHECK(Api(daemon).http.get("/api/tasks").status == 200);
}

SCENARIO("the files of a daemon that runs, and what is no state, are left alone", "[coordctl][state]")
{
    const Left left;
    {
        DaemonProcess daemon(left, left.args);
        const auto refused = left.look("verify");
        CHECK(refused.status == 1);
        CHECK_THAT(refused.err, Catch::Contains("another daemon"));
    }
    const TempDir empty;
    CtlProcess process(1, 1, {"state", "verify", empty.path().string()});
    const auto ended = process.wait();
    CHECK(ended.status == 2);
    CHECK_THAT(ended.err, Catch::Contains("there is no state in " + empty.path().string()));
    CHECK(std::filesystem::is_empty(empty.path()));
}
