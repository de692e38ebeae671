#include "client/probe.hpp"
#include "support/api.hpp"

#include <catch2/catch.hpp>

#include <mutex>

using namespace coordination;
using namespace coordination::testing;
using boost::asio::use_future;

namespace {

/// The real daemon with a log that is synced before each acknowledgement, and its clients' options.
struct Bus {
    TempDir folder;
    std::string http = std::to_string(free_port());
    std::string ws = std::to_string(free_port());
    std::unique_ptr<DaemonProcess> daemon;

    Bus() { start(); }

    void start()
    {
        daemon = std::make_unique<DaemonProcess>(folder,
                                                 Arguments{"--port", http, "--ws-port", ws, "--persistence",
                                                           "write-ahead-log", "--wal-sync-interval", "0"});
    }
    void kill_and_restart()
    {
        daemon->kill();
        start();
    }

    CoordinationClientOptions options(std::string worker) const
    {
        auto all = Probe::options(daemon->ws_port(), daemon->http_port());
        all.worker_id = std::move(worker);
        return all;
    }
};

/// A worker that writes down the messages it is given, one after the other, once `held` is free.
struct Receiver {
    Diary diary;
    std::mutex held;
    ClientThread client;

    explicit Receiver(const Bus& bus) : client(bus.options("w1"), 1)
    {
        client->on_message([this](const ReceivedMessage& message) {
            diary.note("begun " + message.id);
            const std::lock_guard lock(held);
            diary.note("message " + message.id);
        });
        success(client->connect(use_future));
    }

    /// The daemon has the acknowledgements of all messages before this one, since they are handled one by one
    /// and what is called for goes out in order.
    void acknowledged_before(const std::string& id)
    {
        diary.await("message " + id);
        heard();
    }

    /// What this client has said up to now.
    void heard() { success(client->call({{"type", "get_worker"}, {"workerId", "w1"}}, use_future)); }
};

} // namespace

SCENARIO("a message that was acknowledged to its publisher is delivered though the daemon was killed before, "
         "and not "
         "again once its receiver has acknowledged it",
         "[client]")
{
    Bus bus;
    ClientThread publisher(bus.options(""));
    success(publisher->connect(use_future));
    {
        Receiver receiver(bus);
        success(receiver.client->disconnect(use_future)); // known, and away
    }
    const auto publish = [&](const std::string& id, const std::string& priority) {
        success(publisher->publish({.topic = "news",
                                    .payload = {{"n", 1}},
                                    .priority = priority,
                                    .recipient = "w1",
                                    .message_id = id},
                                   use_future));
    };
    publish("m1", "normal");
    bus.kill_and_restart();
    {
        Receiver receiver(bus);
        receiver.diary.await("message m1");
        publish("m2", "normal");
        receiver.acknowledged_before("m2");
        bus.kill_and_restart();
    }
    Receiver receiver(bus); // which remembers nothing
    publish("m3", "low");   // behind whatever waits
    receiver.diary.await("message m3");
    CHECK(receiver.diary.count("begun m1") == 0);
}

SCENARIO(
    "a message that is being handled when the daemon is killed is handled once, and acknowledged to the next",
    "[client]")
{
    Bus bus;
    ClientThread publisher(bus.options(""));
    success(publisher->connect(use_future));
    const auto publish = [&](const std::string& id, const std::string& priority) {
        success(publisher->publish({.topic = "news", .priority = priority, .message_id = id}, use_future));
    };
    {
        Receiver receiver(bus);
        success(receiver.client->subscribe_messages({"news"}, use_future));
        std::unique_lock held(receiver.held);
        publish("m1", "normal");
        receiver.diary.await("begun m1");
        bus.kill_and_restart();
        receiver.heard(); // by the daemon that came after
        held.unlock();
        publish("m2", "normal");
        receiver.acknowledged_before("m2");
        CHECK(receiver.diary.count("begun m1") == 0);
        bus.kill_and_restart();
    }
    Receiver receiver(bus);
    success(receiver.client->subscribe_messages({"news"}, use_future));
    publish("m3", "low");
    receiver.diary.await("message m3");
    CHECK(receiver.diary.count("begun m1") == 0);
}

SCENARIO("a message that is published while the daemon is away is delivered once when it is back", "[client]")
{
    Bus bus;
    ClientThread publisher(bus.options(""));
    success(publisher->connect(use_future));
    Receiver receiver(bus);
    success(receiver.client->subscribe_messages({"news"}, use_future));
    bus.daemon->kill();
    auto first = publisher->publish({.topic = "news", .recipient = "w1", .message_id = "m1"}, use_future);
    auto second = publisher->publish({.topic = "news", .recipient = "w1", .message_id = "m2"}, use_future);
    bus.start();
    success(std::move(first));
    success(std::move(second));
    receiver.diary.await("message m1");
    receiver.diary.await("message m2");
    CHECK(receiver.diary.count("message") == 0);
}
