// What it costs a worker that ends a task to be given its next one, as the backlog grows: one complete, and
// the settle that finds and assigns the next, with transactions and all indexes, no sockets.
//
//   bench-backlog [PAIRS]   nanoseconds per complete + next, best of 5 interleaved rounds, over 1,000 sets

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
constexpr int capability_sets = 1000;

std::string capability(int n)
{
    return "capability-" + std::to_string(n % capability_sets);
}

enum class Shape {
    one_for_all, ///< ten workers that can do everything
    one_each,    ///< a thousand workers, each for one kind
};

class Backlog {
public:
    Backlog(Shape shape, int waiting)
    {
        for (int i = 0; i < waiting; ++i)
            add(i);
        const int workers = shape == Shape::one_for_all ? 10 : capability_sets;
        for (int i = 0; i < workers; ++i) {
            RegisterWorker command{.id = WorkerId("worker-" + std::to_string(i)),
                                   .capabilities = {},
                                   .capabilities_json = Text("[]"),
                                   .metadata = {},
                                   .subscription = {}};
            for (int n = 0; n < capability_sets; ++n)
                if (shape == Shape::one_for_all || n == i)
                    command.capabilities.push_back(capability(n));
            run(command);
        }
    }

    /// Nanoseconds per task ended and next one begun; each that ends is followed by a new one at the back.
    double measure(int pairs)
    {
        std::chrono::duration<double, std::nano> took{0};
        for (int i = 0; i < pairs; ++i) {
            const auto& leases = engine_.store().assignments().rows();
            const TaskId oldest = leases.begin()->second.id;
            const auto began = std::chrono::steady_clock::now();
            run(FinishTask{.id = oldest, .claim = {}, .completed = true, .outcome = {}});
            took += std::chrono::steady_clock::now() - began;
            run(DeleteTask{oldest});
            add(next_);
        }
        return took.count() / pairs;
    }

private:
    void add(int n)
    {
        SubmitTasks command;
        command.tasks.push_back({.id = TaskId("task-" + std::to_string(next_++)),
                                 .data = {.payload = Text(R"("title":"a task")"),
                                          .capabilities = {capability(n)},
                                          .priority = static_cast<Priority>(n / capability_sets % 4)}});
        run(command);
    }

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

    Engine engine_{Limits{}};
    Effects effects_;
    int next_ = 0;
};

constexpr std::array waiting{1'000, 100'000, 1'000'000};

void compare(Shape shape, int pairs)
{
    std::array<std::unique_ptr<Backlog>, waiting.size()> backlogs;
    std::array<double, waiting.size()> best;
    best.fill(std::numeric_limits<double>::max());
    // What workers hold is taken from the backlog: so much more is put in.
    const int held = shape == Shape::one_for_all ? 100 : 0;
    for (std::size_t i = 0; i < waiting.size(); ++i)
        backlogs[i] = std::make_unique<Backlog>(shape, (shape == Shape::one_each ? 11 : 1) * 1000 + held +
                                                           waiting[i] - 1000);
    for (int round = 0; round < 5; ++round)
        for (std::size_t i = 0; i < waiting.size(); ++i)
            best[i] = std::min(best[i], backlogs[i]->measure(pairs));
    for (const auto ns : best)
        fmt::print("{:>18.0f}", ns);
    const auto [lowest, highest] = std::ranges::minmax(best);
    fmt::print("\nhighest / lowest: {:.2f}\n", highest / lowest);
}

} // namespace

int main(int argc, char** argv)
{
    const int pairs = argc > 1 ? std::atoi(argv[1]) : 5'000;
    fmt::print("ns per complete + next, by tasks waiting\n");
    for (const auto count : waiting)
        fmt::print("{:>18}", count);
    fmt::print("\n-- ten workers that can do all 1,000 kinds\n");
    compare(Shape::one_for_all, pairs);
    fmt::print("-- a thousand workers, each for one kind\n");
    compare(Shape::one_each, pairs);
    return 0;
}
