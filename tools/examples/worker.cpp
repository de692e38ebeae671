// The seed's first example: a worker that takes tasks, tells its progress and completes them, until Ctrl-C.
// worker [ID]; the daemon is at COORDINATION_WS_URL, by default ws://localhost:9501.
#include "coordination/client.hpp"

#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include <cstdlib>
#include <iostream>

namespace asio = boost::asio;
namespace json = boost::json;
using namespace coordination;
using namespace std::chrono_literals;

asio::awaitable<TaskEnding> perform(CoordinationClient* client, AssignedTask task)
{
    std::cout << "Received task: " << task.id << std::endl;
    const auto seconds = task.data.contains("seconds") ? task.data.at("seconds").to_number<double>() : 10;
    const auto step = std::chrono::duration_cast<std::chrono::milliseconds>(seconds * 1s / 10);
    bool wanted = true; // until it is cancelled, or no longer ours
    for (int progress = 0; progress <= 100 && wanted; progress += 10) {
        client->update_progress(task, progress, asio::detached);
        std::cout << "Progress: " << progress << "%" << std::endl;
        wanted = co_await sleep_unless_stopped(step, task.stop); // the work
    }
    co_return json::object{{"status", "success"}, {"message", "Task completed"}};
}

int main(int count, char** arguments)
{
    CoordinationClientOptions options{.worker_id = count > 1 ? arguments[1] : "worker-development-001",
                                      .capabilities = {"development", "testing"}};
    if (const char* url = std::getenv("COORDINATION_WS_URL"))
        options.ws_url = url;

    asio::io_context io;
    CoordinationClient client(io.get_executor(), options);
    client.serve_tasks([&](AssignedTask task) { return perform(&client, std::move(task)); });
    client.on_registered([](const Registration&) { std::cout << "Worker started" << std::endl; });
    client.on_error([](const CallError& error) { std::cerr << error.message << std::endl; });
    client.connect([](const Answer& answer) {
        if (!answer)
            std::cerr << "given up: " << answer.error().message << std::endl;
    });

    asio::signal_set signals(io, SIGINT, SIGTERM);
    signals.async_wait([&](const boost::system::error_code&, int) { client.disconnect(asio::detached); });
    io.run(); // ends after disconnect
}
