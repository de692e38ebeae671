#include <coordination/daemon.hpp>

#include <boost/asio/use_future.hpp>

#include <iostream>

using namespace coordination;
using namespace std::chrono_literals;

int main()
{
    constexpr auto& wait = boost::asio::use_future; // or nothing, in a coroutine: co_await; or a callback

    DaemonOptions options;
    options.persistence = Persistence::memory_only;
    options.http_port = options.ws_port = 0;            // free ones; with `listen = false` none at all
    const auto clock = std::make_shared<ManualClock>(); // for tests: time goes as they say
    options.clock = clock;

    Daemon daemon(options); // on a thread of its own; Daemon(io, options): on your io_context
    daemon.on({EventKind::task_assigned, EventKind::task_completed, EventKind::worker_offline},
              [](const Event& event) {
                  std::cout << name_of(event.kind) << ' ' << event.worker_id << ' ' << event.value()
                            << std::endl;
              });
    const auto endpoints = daemon.start();
    if (!endpoints) {
        std::cerr << endpoints.error() << std::endl;
        return 1;
    }
    std::cerr << "http=" << endpoints->http << " ws=" << endpoints->ws << std::endl;

    daemon.call(request::RegisterWorker{.worker_id = "w1", .capabilities = {"development"}}, wait).get();
    const auto assigned = daemon
                              .assign_task("task-1", std::nullopt,
                                           R"({"title":"Automated","capabilities":["development"]})", wait)
                              .get();
    if (!assigned) {
        std::cerr << assigned.error().message << std::endl;
        return 1;
    }
    std::cerr << "assigned " << assigned->task_id << " to " << assigned->worker_id << std::endl;
    daemon.call(request::CompleteTask{.task_id = "task-1", .result = R"({"output":"done"})"}, wait).get();

    clock->advance(15s, wait).get(); // the heartbeat timeout: w1 was silent for all of it
    const auto worker = daemon.call(request::FindWorker{"w1"}, wait).get();
    const bool offline = worker && worker->status == WorkerStatus::offline;
    const auto saved = daemon.stop(wait).get();
    return offline && saved ? 0 : 1;
}
