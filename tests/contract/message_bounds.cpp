#include "contract/message_peers.hpp"

#include <catch2/catch.hpp>

#include <set>

using namespace coordination::testing;

SCENARIO("a wrong field of the bus is named, and nothing changes", "[messages]")
{
    DaemonProcess daemon;
    Api api(daemon);
    WsPeer peer(daemon.ws_port());
    const auto revision = api.revision();
    struct Case {
        std::string message;
        std::string code;
        std::string named;
    };
    const std::string long_text(300, 'x');
    const std::string many_parts(32, ':'); // 33 of them, all empty
    for (const auto& [message, code, named] : std::vector<Case>{
             {R"({"type":"publish"})", "MISSING_FIELD", "topic"},
             {R"({"type":"publish","topic":7})", "INVALID_FIELD", "topic"},
             {R"({"type":"publish","topic":"a:*"})", "INVALID_FIELD", "topic"},
             {R"({"type":"publish","topic":"dead-letter"})", "INVALID_FIELD", "topic"},
             {R"({"type":"publish","topic":")" + long_text + "\"}", "INVALID_FIELD", "topic"},
             {R"({"type":"publish","topic":"a","priority":4})", "INVALID_FIELD", "priority"},
             {R"({"type":"publish","topic":"a","priority":-1})", "INVALID_FIELD", "priority"},
             {R"({"type":"publish","topic":"a","priority":0.5})", "INVALID_FIELD", "priority"},
             {R"({"type":"publish","topic":"a","priority":"now"})", "INVALID_FIELD", "priority"},
             {R"({"type":"publish","topic":"a","guarantee":"maybe"})", "INVALID_FIELD", "guarantee"},
             {R"({"type":"publish","topic":"a","ttl":0})", "INVALID_FIELD", "ttl"},
             {R"({"type":"publish","topic":"a","ttl":1e20})", "INVALID_FIELD", "ttl"},
             {R"({"type":"publish","topic":"a","maxRetries":-1})", "INVALID_FIELD", "maxRetries"},
             {R"({"type":"publish","topic":"a","messageId":1})", "INVALID_FIELD", "messageId"},
             {R"({"type":"publish","topic":"a","messageId":")" + long_text + "\"}", "INVALID_FIELD",
              "messageId"},
             {R"({"type":"publish","topic":"a","messageId":"bus:1"})", "INVALID_FIELD", "messageId"},
             {R"({"type":"publish","topic":"a","recipient":{}})", "INVALID_FIELD", "recipient"},
             {R"({"type":"publish","topic":"a","recipient":"none"})", "WORKER_NOT_FOUND", "Worker"},
             {R"({"type":"ack"})", "MISSING_FIELD", "messageId"},
             {R"({"type":"ack","messageId":[]})", "INVALID_FIELD", "messageId"},
             {R"({"type":"subscribe_messages"})", "MISSING_FIELD", "topics"},
             {R"({"type":"subscribe_messages","topics":"a"})", "INVALID_FIELD", "topics"},
             {R"({"type":"subscribe_messages","topics":["a",1]})", "INVALID_FIELD", "topics"},
             {R"({"type":"unsubscribe_messages","topics":[""]})", "INVALID_FIELD", "topics"},
             {R"({"type":"subscribe_messages","topics":[")" + many_parts + R"("]})", "INVALID_FIELD",
              "parts"},
         }) {
        INFO(message);
        const auto response = peer.call(message);
        CHECK(response["success"] == Json(false));
        CHECK(response["code"] == Json(code));
        CHECK_THAT(text(response.json, "error"), Catch::Contains(named));
    }
    peer.send(R"({"type":"publish","topic":"a:*"})");
    CHECK(peer.expect("error")["code"] == "INVALID_FIELD");
    CHECK(api.revision() == revision);
}

SCENARIO("a subscriber may have 256 topics", "[messages]")
{
    DaemonProcess daemon;
    Worker worker(daemon, "w1");
    WsPeer socket(daemon.ws_port());
    for (WsPeer* peer : {static_cast<WsPeer*>(&worker), &socket}) {
        for (int i = 0; i < 256; ++i)
            CHECK(peer->call(R"({"type":"subscribe_messages","topics":["t)" + std::to_string(i) +
                             "\"]}")["success"] == Json(true));
        CHECK(peer->call(R"({"type":"subscribe_messages","topics":["one more"]})")["code"] ==
              "INVALID_FIELD");
        CHECK(peer->call(R"({"type":"unsubscribe_messages","topics":["t1"]})")["success"] == Json(true));
        CHECK(peer->call(R"({"type":"subscribe_messages","topics":["one more"]})")["success"] == Json(true));
    }
}

SCENARIO("who unsubscribes hears no more", "[messages]")
{
    DaemonProcess daemon;
    Worker worker(daemon, "w1");
    Listener socket(daemon, R"(["a","b"])");
    worker.call(R"({"type":"subscribe_messages","topics":["a","b"]})");
    for (auto* peer : {static_cast<WsPeer*>(&worker), static_cast<WsPeer*>(&socket)}) {
        peer->call(R"({"type":"unsubscribe_messages","topics":["a"]})");
        peer->call(R"({"type":"publish","topic":"a","guarantee":"at-most-once"})");
        peer->call(R"({"type":"unsubscribe_messages"})");
        peer->call(R"({"type":"publish","topic":"b","guarantee":"at-most-once"})");
    }
    CHECK(socket.expect("message")["topic"] == "a"); // of the worker's that it still had, in order
    CHECK(socket.expect("message")["topic"] == "b");
    check_nothing_came(socket);
    check_nothing_came(worker);
}

SCENARIO("a full queue refuses with QUEUE_FULL, over HTTP with 429", "[messages]")
{
    DaemonProcess daemon({"--max-queue-size", "2"});
    Api api(daemon);
    api.register_worker("w1");
    const auto call = R"({"recipient":"w1","topic":"a"})";
    const auto first = text(api.post("/api/messages/publish", call).json(), "messageId");
    api.post("/api/messages/publish", call);
    const auto refused = api.http.post("/api/messages/publish", call);
    CHECK(refused.status == 429);
    CHECK(text(refused.json(), "code") == "QUEUE_FULL");
    CHECK(integer(bus(api), "queue.total") == 2);
    api.post("/api/messages/ack", R"({"workerId":"w1","messageId":")" + first + "\"}");
    api.post("/api/messages/publish", call);
}

SCENARIO("one receiver that takes nothing leaves half of the queue to the others", "[messages]")
{
    DaemonProcess daemon({"--max-queue-size", "1200"});
    Api api(daemon);
    api.register_worker("hog");
    api.register_worker("w1");
    for (int i = 0; i < 600; ++i)
        api.post("/api/messages/publish", R"({"recipient":"hog","topic":"a"})");
    const auto refused = api.http.post("/api/messages/publish", R"({"recipient":"hog","topic":"a"})");
    CHECK(refused.status == 429);
    CHECK(text(refused.json(), "code") == "QUEUE_FULL");
    CHECK_THAT(text(refused.json(), "error"), Catch::Contains("worker hog"));
    api.post("/api/messages/publish", R"({"recipient":"w1","topic":"a"})");
}

SCENARIO("messages may be gathered for the processing interval, and come all the same", "[messages]")
{
    DaemonProcess daemon({"--processing-interval", "5"});
    Listener peer(daemon, R"(["*"])");
    for (int i = 0; i < 20; ++i)
        peer.send(R"({"type":"publish","topic":"a","payload":)" + std::to_string(i) + "}");
    for (int i = 0; i < 20; ++i)
        CHECK(integer(peer.expect("message").json, "payload") == i);
}

SCENARIO("who does not read fills its mailbox, not the daemon, and others are served", "[messages]")
{
    DaemonProcess daemon({"--outbox-bytes-max", "200000", "--max-queue-size", "100000"});
    Api api(daemon);
    Worker slow(daemon, "slow");
    slow.call(R"({"type":"subscribe_messages","topics":["*"]})");
    Listener quick(daemon, R"(["*"])");
    const std::string payload(20'000, 'x');
    constexpr int messages = 900; // 18 MB: far more than the outbox and the kernel take
    for (int i = 0; i < messages; ++i) {
        api.post("/api/messages/publish", R"({"topic":"a","payload":")" + payload + "\"}");
        ack(quick, quick.expect("message"));
    }
    CHECK(integer(bus(api), "queue.total") > 0);
    CHECK(integer(bus(api), "pendingAcks") <= 256);
    for (int i = 0; i < messages; ++i)
        ack(slow, slow.expect("message"));
    CHECK(integer(bus(api), "queue.total") == 0);
    CHECK(integer(api.get("/api/metrics").json(), "websockets.slowConsumersDropped") == 0);
}

SCENARIO("the figures of the bus are counted from what there is", "[messages][metrics]")
{
    DaemonProcess daemon;
    Api api(daemon);
    Worker worker(daemon, "w1");
    worker.call(R"({"type":"subscribe_messages","topics":["a","b:*"]})");
    api.register_worker("w2");
    Listener socket(daemon, R"(["a"])");
    api.post("/api/messages/publish", R"({"topic":"a","priority":0})");
    api.post("/api/messages/publish", R"({"topic":"x","recipient":"w2","priority":3})");
    const auto first = worker.expect("message");
    const auto second = socket.expect("message");
    auto figures = bus(api);
    CHECK(integer(figures, "messagesReceived") == 2);
    CHECK(integer(figures, "messagesSent") == 2);
    CHECK(integer(figures, "messagesDelivered") == 0);
    CHECK(integer(figures, "pendingAcks") == 2);
    CHECK(integer(figures, "subscriberCount") == 2);
    CHECK(integer(figures, "topics") == 3);
    CHECK(integer(figures, "queueDepth") == 1);
    CHECK(integer(figures, "queue.low") == 1);
    CHECK(integer(figures, "queue.critical") == 0);
    ack(worker, first);
    socket.abort();
    await_figure(api, "pendingAcks", 0);
    figures = bus(api);
    CHECK(integer(figures, "messagesDelivered") == 1);
    CHECK(integer(figures, "subscriberCount") == 1);
    CHECK(integer(figures, "topics") == 2);
    const auto exposition = api.get("/metrics").body;
    CHECK_THAT(exposition, Catch::Contains("coordination_messages_waiting{priority=\"low\"} 1\n"));
    CHECK_THAT(exposition, Catch::Contains("coordination_messages_published_total 2\n"));
    CHECK_THAT(exposition, Catch::Contains("coordination_message_delivery_duration_seconds_count 2\n"));
}

SCENARIO("changes of messages are not broadcast", "[messages]")
{
    DaemonProcess daemon;
    Api api(daemon);
    api.register_worker("w1");
    Watcher watcher(daemon);
    api.post("/api/messages/publish", R"({"topic":"a","recipient":"w1"})");
    api.register_worker("w2");
    CHECK(summary(watcher.next_change()) == "workers:set:w2");
}

SCENARIO("what was acknowledged of the bus survives kill -9, and what was acked does not come again",
         "[messages][persistence]")
{
    const TempDir folder;
    const Arguments args{
        "--port", "0", "--ws-port", "0", "--persistence", "write-ahead-log", "--wal-sync-interval", "0"};
    std::set<std::string> owed;
    {
        DaemonProcess daemon(folder, args);
        Api api(daemon);
        Worker worker(daemon, "w1");
        worker.call(R"({"type":"subscribe_messages","topics":["jobs:*"]})");
        Listener socket(daemon, R"(["jobs:*"])");
        for (int i = 0; i < 40; ++i) {
            const auto published =
                api.post("/api/messages/publish",
                         R"({"topic":"jobs:x","payload":)" + std::to_string(i) +
                             (i % 2 == 0 ? R"(,"guarantee":"exactly-once","messageId":"m)" +
                                               std::to_string(i) + "\"}"
                                         : std::string("}")))
                    .json();
            CHECK(field(published, "durable") == "disk");
            owed.insert(text(published, "messageId"));
        }
        for (int i = 0; i < 20; ++i) {
            const auto message = worker.expect("message");
            ack(worker, message);
            owed.erase(text(message.json, "messageId"));
        }
        daemon.kill();
    }
    DaemonProcess daemon(folder, args);
    Api api(daemon);
    CHECK(integer(bus(api), "queue.total") == 20);
    CHECK(field(api.post("/api/messages/publish", R"({"topic":"jobs:x","messageId":"m0"})").json(),
                "duplicate") == Json(true));
    Worker worker(daemon, "w1");
    std::set<std::string> came;
    for (int i = 0; i < 20; ++i) {
        const auto message = worker.expect("message");
        CHECK(integer(message.json, "attempt") == 1); // tries are counted anew
        came.insert(text(message.json, "messageId"));
        ack(worker, message);
    }
    CHECK(came == owed);
    check_nothing_came(worker);
    api.post("/api/messages/publish", R"({"topic":"jobs:y"})"); // its topics survived, too
    CHECK(worker.expect("message")["topic"] == "jobs:y");
}

SCENARIO("messages, topics and dead letters are in a snapshot", "[messages][persistence]")
{
    const TempDir folder;
    const Arguments args{"--port", "0", "--ws-port", "0", "--persistence", "periodic-snapshot"};
    {
        DaemonProcess daemon(folder, args);
        Api api(daemon);
        api.register_worker("w1");
        api.post("/api/messages/publish", R"({"topic":"a","recipient":"w1","payload":{"x":"line\nbreak"}})");
        api.post("/api/messages/publish", R"({"topic":"lost","recipient":"w1","ttl":1})");
        await_figure(api, "deadLetters", 1);
        CHECK(daemon.terminate().status == 0);
    }
    DaemonProcess daemon(folder, args);
    Worker worker(daemon, "w1");
    CHECK(worker.expect("message")["payload.x"] == "line\nbreak");
    Listener letters(daemon, R"(["dead-letter"])");
    CHECK(letters.expect("message")["payload.topic"] == "lost");
}
