// What it costs to find a worker and to take a lease through its life, as the fleet and the backlog grow. The
// figure is the core alone: one assign and one complete, transactions, indexes and changes included, no
// sockets.
//
//   bench-matching [PAIRS]        prints tables in nanoseconds per pair, best of 5 interleaved rounds

#include "core/engine.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <limits>
#include <memory>
#include <string>
#include <vector>

namespace {

using namespace coordination;

constexpr Timestamp start{std::chrono::milliseconds{1'700'000'000'000}};
constexpr int capability_sets = 8;

std::string capability(int n)
{
    return "capability-" + std::to_string(n % capability_sets);
}

enum class Shape {
    alike,  ///< eight kinds of workers, tasks ask for one of the kinds
    unlike, ///< each worker has a capability of its own, tasks ask for the common one
};

class Fleet {
public:
    Fleet(Shape shape, int workers, int tasks) : shape_(shape)
    {
        for (int i = 0; i < workers; ++i) {
            RegisterWorker command{.id = WorkerId("worker-" + std::to_string(i)),
                                   .capabilities = {"common", shape == Shape::alike
                                                                  ? capability(i)
                                                                  : "own-" + std::to_string(i)},
                                   .capabilities_json = Text("[]"),
                                   .metadata = {},
                                   .subscription = {}};
            run(command);
        }
        // Half of the backlog waits for a worker that never comes, half has ended.
        for (int i = 0; i < tasks; ++i) {
            Task task;
            task.id = TaskId("waiting-" + std::to_string(i));
            task.required = engine_.store().capabilities().intern({"nobody-has-" + std::to_string(i % 1000)});
            task.status = i % 2 == 0 ? TaskStatus::pending : TaskStatus::completed;
            task.created_at = start;
            engine_.store().restore(std::move(task));
        }
    }

    /// Nanoseconds per assign and complete.
    double measure(int pairs)
    {
        std::vector<AssignTask> assigns;
        for (int i = 0; i < pairs; ++i)
            assigns.push_back(
                {.id = TaskId("task-" + std::to_string(next_++)),
                 .worker = {},
                 .data = TaskData{.payload = Text(R"("title":"a task")"),
                                  .capabilities = {shape_ == Shape::alike ? capability(i) : "common"}}});
        const auto began = std::chrono::steady_clock::now();
        for (const auto& assign : assigns) {
            run(assign);
            run(FinishTask{.id = assign.id, .claim = {}, .completed = true, .outcome = {}});
        }
        const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - began;
        return took.count() / pairs;
    }

private:
    void run(const Command& command)
    {
        const auto result = engine_.execute(command, {}, start, effects_);
        if (!result) {
            fmt::print(stderr, "refused: {}\n", result.error().message);
            std::exit(1);
        }
        engine_.settle(start, effects_);
        effects_.clear();
    }

    Shape shape_;
    Engine engine_{Limits{}};
    Effects effects_;
    int next_ = 0;
};

constexpr std::array workers{10, 1'000, 100'000};
constexpr std::array tasks{0, 10'000, 1'000'000};

void compare(Shape shape, int pairs)
{
    std::array<std::array<std::unique_ptr<Fleet>, tasks.size()>, workers.size()> fleets;
    std::array<std::array<double, tasks.size()>, workers.size()> best;
    for (std::size_t w = 0; w < workers.size(); ++w)
        for (std::size_t t = 0; t < tasks.size(); ++t) {
            fleets[w][t] = std::make_unique<Fleet>(shape, workers[w], tasks[t]);
            best[w][t] = std::numeric_limits<double>::max();
        }
    for (int round = 0; round < 5; ++round)
        for (std::size_t w = 0; w < workers.size(); ++w)
            for (std::size_t t = 0; t < tasks.size(); ++t)
                best[w][t] = std::min(best[w][t], fleets[w][t]->measure(pairs));

    double lowest = best[0][0];
    double highest = best[0][0];
    for (std::size_t w = 0; w < workers.size(); ++w) {
        fmt::print("{:>10} |", workers[w]);
        for (const auto ns : best[w]) {
            fmt::print("{:>18.0f}", ns);
            lowest = std::min(lowest, ns);
            highest = std::max(highest, ns);
        }
        fmt::print("\n");
    }
    fmt::print("highest / lowest: {:.2f}\n\n", highest / lowest);
}

} // namespace

int main(int argc, char** argv)
{
    const int pairs = argc > 1 ? std::atoi(argv[1]) : 20'000;
    fmt::print("ns per assign + complete\n{:>10} |", "workers");
    for (const auto count : tasks)
        fmt::print("{:>12} tasks", count);
    fmt::print("\n-- eight kinds of workers\n");
    compare(Shape::alike, pairs);
    fmt::print("-- each worker has a capability of its own\n");
    compare(Shape::unlike, pairs);
    return 0;
}
