#include "contract/message_peers.hpp"

#include <catch2/catch.hpp>

#include <set>

using namespace coordination::testing;

SCENARIO("a message goes to every subscriber of its topic, with all that the contract names", "[messages]")
{
    DaemonProcess daemon;
    Worker publisher(daemon, "w1");
    Listener exact(daemon, R"(["jobs:done"])");
    Listener part(daemon, R"(["jobs:*"])");
    Listener all(daemon, R"(["*"])");
    Listener other(daemon, R"(["jobs:failed"])");
    const auto published = publisher.call(
        R"({"type":"publish","topic":"jobs:done","payload":{"n" : [1, 1e3, "\u00e9"]},"priority":"high","messageId":"m1"})");
    CHECK(published["success"] == Json(true));
    CHECK(published["messageId"] == "m1");
    for (auto* peer : {&exact, &part, &all}) {
        const auto message = peer->expect("message");
        CHECK(message["messageId"] == "m1");
        CHECK(message["topic"] == "jobs:done");
        CHECK(message.raw.find(R"("payload":{"n" : [1, 1e3, "\u00e9"]},)") !=
              std::string::npos); // as it came in
        CHECK(message["sender"] == "w1");
        CHECK(message["priority"] == "high");
        CHECK(integer(message.json, "attempt") == 1);
        ack(*peer, message);
        ack(*peer, message); // once more is fine
    }
    check_nothing_came(other);
    check_nothing_came(publisher);
}

SCENARIO("priorities are names or numbers, and 0 is critical", "[messages]")
{
    DaemonProcess daemon;
    Listener peer(daemon, R"(["*"])");
    for (const auto* priority : {"0", "1", "2", "3", R"("critical")", R"("low")"}) {
        INFO(priority);
        peer.call(R"({"type":"publish","topic":"a","priority":)" + std::string(priority) + "}");
        const auto message = peer.expect("message");
        CHECK(message.raw.find("\"priority\":" + std::string(priority)) != std::string::npos);
        CHECK(message["payload"].is_null());
        CHECK(message["sender"].is_null());
    }
}

SCENARIO("waiting messages go out most urgent first", "[messages]")
{
    DaemonProcess daemon;
    Api api(daemon);
    api.register_worker("w1");
    for (const auto* priority : {"3", "2", "0", "1", "0"})
        api.post("/api/messages/publish",
                 R"({"topic":"a","recipient":"w1","guarantee":"at-most-once","priority":)" +
                     std::string(priority) + "}");
    Worker worker(daemon, "w1");
    std::string order;
    for (int i = 0; i < 5; ++i)
        order += std::to_string(integer(worker.expect("message").json, "priority"));
    CHECK(order == "00123");
}

SCENARIO("a message to a recipient that is away waits for it, and one that is unknown is WORKER_NOT_FOUND",
         "[messages]")
{
    DaemonProcess daemon;
    Api api(daemon);
    Listener peer(daemon, R"(["*"])");
    const auto refused = api.http.post("/api/messages/publish", R"({"topic":"a","recipient":"nobody"})");
    CHECK(refused.status == 404);
    CHECK(text(refused.json(), "code") == "WORKER_NOT_FOUND");
    {
        Worker worker(daemon, "w1");
        CHECK(worker.close() == 1000);
    }
    for (const auto* guarantee : {"at-most-once", "at-least-once", "exactly-once"})
        api.post("/api/messages/publish", R"({"recipient":"w1","topic":"a","payload":"x","guarantee":")" +
                                              std::string(guarantee) + "\"}");
    CHECK(integer(bus(api), "queue.total") == 3);
    Worker again(daemon, "w1");
    std::set<std::string> came;
    for (int i = 0; i < 3; ++i) {
        const auto message = again.expect("message");
        came.insert(text(message.json, "guarantee"));
        ack(again, message);
    }
    CHECK(came.size() == 3);
    CHECK(integer(bus(api), "queue.total") == 0);
    CHECK(integer(bus(api), "pendingAcks") == 0);
    check_nothing_came(peer); // it was to one alone
}

SCENARIO("an unacknowledged message is sent again, and ends in the dead letters", "[messages]")
{
    DaemonProcess daemon({"--ack-timeout", "50"});
    Api api(daemon);
    Worker worker(daemon, "w1");
    worker.call(R"({"type":"subscribe_messages","topics":["jobs"]})");
    api.post("/api/messages/publish",
             R"({"topic":"jobs","payload":{"n":1},"messageId":"m1","maxRetries":2})");
    for (std::int64_t attempt = 1; attempt <= 3; ++attempt) {
        const auto message = worker.expect("message");
        CHECK(message["messageId"] == "m1");
        CHECK(integer(message.json, "attempt") == attempt);
    }
    await_figure(api, "deadLetters", 1);
    Listener late(daemon, R"(["dead-letter"])"); // one that comes later still gets them
    const auto letter = late.expect("message");
    CHECK(letter["topic"] == "dead-letter");
    CHECK(letter["payload.topic"] == "jobs");
    CHECK(letter["payload.reason"] == "MAX_RETRIES");
    CHECK(letter["payload.messageId"] == "m1");
    CHECK(letter["payload.payload.n"] == 1);
    CHECK(letter["payload.recipients.0"] == "w1");
    ack(late, letter);
    CHECK(integer(bus(api), "deadLetters") == 0);
    CHECK(integer(bus(api), "messagesRetried") >= 2);
    CHECK(integer(bus(api), "pendingAcks") == 0);
}

SCENARIO("a message that expires is a dead letter, unless it might be lost", "[messages]")
{
    DaemonProcess daemon;
    Api api(daemon);
    api.register_worker("w1");
    api.post("/api/messages/publish",
             R"({"recipient":"w1","topic":"a","ttl":20,"guarantee":"at-most-once"})");
    api.post("/api/messages/publish", R"({"recipient":"w1","topic":"a","ttl":20})");
    Listener letters(daemon, R"(["dead-letter"])");
    const auto letter = letters.expect("message");
    CHECK(letter["payload.reason"] == "EXPIRED");
    await_figure(api, "messagesDropped", 1);
    CHECK(integer(bus(api), "queue.total") == 0);
    CHECK(integer(bus(api), "pendingAcks") == 1); // the letter
}

SCENARIO("a repeated messageId is answered as a duplicate, and delivered once", "[messages]")
{
    DaemonProcess daemon;
    Api api(daemon);
    Listener peer(daemon, R"(["*"])");
    const auto call = R"({"topic":"a","guarantee":"exactly-once","messageId":"m1"})";
    CHECK_FALSE(has(api.post("/api/messages/publish", call).json(), "duplicate"));
    const auto repeated = api.post("/api/messages/publish", call).json();
    CHECK(field(repeated, "success") == Json(true));
    CHECK(field(repeated, "duplicate") == Json(true));
    CHECK_FALSE(has(repeated, "revision"));
    const auto message = peer.expect("message");
    ack(peer, message);
    CHECK(field(api.post("/api/messages/publish", call).json(), "duplicate") == Json(true));
    check_nothing_came(peer);
}

SCENARIO("over HTTP a receiver is named in an ack", "[messages]")
{
    DaemonProcess daemon;
    Api api(daemon);
    api.register_worker("w1");
    const auto id =
        text(api.post("/api/messages/publish", R"({"recipient":"w1","topic":"a"})").json(), "messageId");
    const auto anonymous = api.http.post("/api/messages/ack", R"({"messageId":")" + id + "\"}");
    CHECK(anonymous.status == 400);
    CHECK(text(anonymous.json(), "code") == "MISSING_FIELD");
    const auto acked = api.post("/api/messages/ack", R"({"workerId":"w1","messageId":")" + id + "\"}").json();
    CHECK(integer(acked, "revision") == api.revision());
    CHECK(integer(bus(api), "queue.total") == 0);
    CHECK_FALSE(has(api.post("/api/messages/ack", R"({"workerId":"w1","messageId":")" + id + "\"}").json(),
                    "revision"));
}
