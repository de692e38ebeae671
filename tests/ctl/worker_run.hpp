#pragma once

#include "ctl/ctl_process.hpp"
#include "ctl/fake_daemon.hpp"
#include "support/connection.hpp"
#include "support/temp_dir.hpp"

#include <string>

/// `coordctl worker run` under the eyes of a test.
namespace coordination::testing {

/// Says that it runs, then runs until the file is there.
inline const std::string until_file =
    "echo begun $COORDINATION_ATTEMPT; while ! test -e \"$0\"; do sleep 0.02; done; echo ended";
inline const std::string for_ever = "echo begun $COORDINATION_ATTEMPT; exec sleep 1000";

inline Arguments worker(const Arguments& options, const Arguments& command)
{
    Arguments all{"worker", "run", "--capabilities", "a,b", "--id", "w1"};
    all.insert(all.end(), options.begin(), options.end());
    all.emplace_back("--");
    all.insert(all.end(), command.begin(), command.end());
    return all;
}

/// Without HTTP: signing off is refused by the system, which is as good as an answer.
inline CtlProcess start(const FakeDaemon& daemon, const Arguments& args)
{
    return CtlProcess(free_port(), daemon.ws_port(), args);
}

/// The worker registers, is given the first attempt of t1, under the fence 5, and confirms that it has it.
inline void give_task(FakeDaemon& daemon)
{
    daemon.accept();
    daemon.register_worker();
    daemon.assign("t1", 1, 5);
    daemon.expect_and_agree("task_update");
}

} // namespace coordination::testing
