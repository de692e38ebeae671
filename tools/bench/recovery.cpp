// How long a start takes to read a large state back: TASKS tasks, each assigned to one of 1000 workers and
// half of them completed, once from a snapshot, once from the log alone, once from a snapshot and a log
// behind it.
//
//   bench-recovery [TASKS] [DIR]     default 1000000, in a temporary directory; prints seconds

#include "core/engine.hpp"
#include "persist/posix_disk.hpp"
#include "persist/snapshot/snapshot_writer.hpp"
#include "persist/wal/wal_journal.hpp"

#include <fmt/format.h>

#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <filesystem>
#include <mutex>
#include <string>

#include <unistd.h>

namespace {

using namespace coordination;
using Clock = std::chrono::steady_clock;

constexpr int workers = 1000;
constexpr Timestamp start{std::chrono::milliseconds{1'700'000'000'000}};

Limits limits()
{
    Limits chosen;
    chosen.tasks_per_worker_max = 1'000'000'000;
    return chosen;
}

[[noreturn]] void give_up(const std::string& why)
{
    fmt::print(stderr, "{}\n", why);
    std::exit(1);
}

WalOptions options_in(const std::filesystem::path& directory)
{
    WalOptions options;
    options.paths = {(directory / "state-snapshot.json").string(), (directory / "wal.log").string()};
    options.limits = limits();
    options.sync_interval = std::chrono::seconds(1);
    return options;
}

/// A daemon without sockets: its engine, and the journal that its changes go to.
class Daemon {
public:
    Daemon(Disk& disk, const std::filesystem::path& directory)
        : engine_(limits()),
          journal_(disk, options_in(directory))
    {
        const auto recovered = journal_.recover(engine_.store());
        if (!recovered)
            give_up(recovered.error());
        const auto opened = journal_.open(recovered->revision, [this] {
            const std::lock_guard lock(mutex_);
            moved_.notify_all();
        });
        if (!opened)
            give_up(opened.error());
        for (int i = 0; i < workers; ++i)
            run(RegisterWorker{.id = WorkerId(worker(i)),
                               .capabilities = {"development"},
                               .capabilities_json = Text(R"(["development"])"),
                               .metadata = Text(R"({"host":"node-7.example"})"),
                               .subscription = {}});
    }

    void work(int first, int end)
    {
        for (int i = first; i < end; ++i) {
            const TaskId task("task-" + std::to_string(i));
            TaskData data{
                .payload = Text(R"("title":"Example task","type":"development","branch":"feature/recovery")"),
                .capabilities = {"development"}};
            run(AssignTask{.id = task, .worker = WorkerId(worker(i % workers)), .data = std::move(data)});
            if (i % 2 == 0)
                run(FinishTask{.id = task, .completed = true, .outcome = Text(R"({"status":"success"})")});
        }
    }

    void snapshot()
    {
        FrozenView view(engine_.store());
        const auto sink = journal_.put_snapshot(view.revision());
        SnapshotWriter writer({view.revision(), start, view.totals()});
        const auto add = [&writer](const auto& row) { writer.add(row); };
        for (bool more = true; more;) {
            more = view.workers.next(10'000, add) || view.tasks.next(10'000, add) ||
                   view.messages.next(10'000, add) || writer.finish(10'000);
            if (const auto written = sink->write(writer.take()); !written)
                give_up(written.error());
        }
        if (const auto committed = sink->commit(); !committed)
            give_up(committed.error());
    }

    void close()
    {
        if (const auto closed = journal_.close(); !closed)
            give_up(closed.error());
    }

private:
    static std::string worker(int i) { return "worker-" + std::to_string(i); }

    void run(const Command& command)
    {
        if (const auto result = engine_.execute(command, {}, start, effects_); !result)
            give_up(result.error().message);
        engine_.settle(start, effects_);
        journal_.append(effects_.changes);
        journal_.hand_over();
        effects_.clear();
        const auto revision = engine_.store().revision();
        if (revision % 1000 != 0)
            return;
        std::unique_lock lock(mutex_); // so that no more waits than a daemon would let wait
        moved_.wait(lock, [&] { return journal_.progress().reached >= revision; });
    }

    Engine engine_;
    Effects effects_;
    std::mutex mutex_;
    std::condition_variable moved_;
    WalJournal journal_;
};

void measure(const char* what, Disk& disk, const std::filesystem::path& directory)
{
    std::uintmax_t bytes = 0;
    for (const auto& entry : std::filesystem::directory_iterator(directory))
        bytes += entry.file_size();
    const auto begun = Clock::now();
    StateStore store(limits());
    WalJournal journal(disk, options_in(directory));
    const auto recovered = journal.recover(store);
    if (!recovered)
        give_up(recovered.error());
    const std::chrono::duration<double> took = Clock::now() - begun;
    fmt::print("{:<28} {:>9} tasks {:>6} MiB {:>7.2f} s\n", what, store.tasks().size(), bytes >> 20,
               took.count());
}

} // namespace

int main(int argc, char** argv)
{
    const int tasks = argc > 1 ? std::atoi(argv[1]) : 1'000'000;
    const auto base = argc > 2 ? std::filesystem::path(argv[2]) : std::filesystem::temp_directory_path();
    const auto directory = base / fmt::format("bench-recovery.{}", ::getpid());
    std::filesystem::create_directories(directory);
    PosixDisk disk;
    {
        Daemon daemon(disk, directory);
        daemon.work(0, tasks);
        daemon.close();
    }
    measure("the log alone", disk, directory);
    {
        Daemon daemon(disk, directory);
        daemon.snapshot();
        daemon.close();
    }
    measure("a snapshot", disk, directory);
    {
        Daemon daemon(disk, directory);
        daemon.work(tasks, tasks + tasks / 20);
        daemon.close();
    }
    measure("a snapshot and a log", disk, directory);
    std::filesystem::remove_all(directory);
}
