#include "net/outbox.hpp"

#include <catch2/catch.hpp>

namespace coordination {

SCENARIO("an outbox wakes its writer once, and again when it was told there is nothing", "[outbox]")
{
    int woken = 0;
    FrameCounters counters;
    Outbox outbox(100, [&] { ++woken; }, counters);
    outbox.push("one");
    outbox.push("two");
    CHECK(woken == 1);
    CHECK(outbox.take().frames.size() == 2);
    outbox.push("three"); // the writer is still at work and will look again
    CHECK(woken == 1);
    CHECK(outbox.take().frames.size() == 1);
    CHECK(outbox.take().frames.empty());
    outbox.push("four");
    CHECK(woken == 2);
}

SCENARIO("an outbox that overflows drops everything, counts it, and tells its writer at once", "[outbox]")
{
    int woken = 0;
    FrameCounters counters;
    Outbox outbox(10, [&] { ++woken; }, counters);
    outbox.push("12345");
    outbox.push("67890"); // exactly the bound
    CHECK_FALSE(outbox.overflowed());
    outbox.push("1");
    CHECK(outbox.overflowed());
    CHECK(counters.dropped == 3);
    CHECK(woken == 2); // although the writer had not looked since it was first woken
    outbox.push("2");
    CHECK(counters.dropped == 4);
    const auto batch = outbox.take();
    CHECK(batch.frames.empty());
    CHECK(batch.close == Outbox::Close::overflow);
}

SCENARIO("a closed outbox still hands out what waits, and keeps its first reason", "[outbox]")
{
    FrameCounters counters;
    Outbox outbox(100, [] {}, counters);
    outbox.push("last words");
    outbox.close(Outbox::Close::superseded);
    outbox.close(Outbox::Close::going_away);
    outbox.push("too late");
    const auto batch = outbox.take();
    CHECK(batch.frames.size() == 1);
    CHECK(batch.close == Outbox::Close::superseded);
    outbox.close(Outbox::Close::overflow);
    CHECK(outbox.take().close == Outbox::Close::overflow);
}

SCENARIO("a detached outbox wakes nobody and drops what comes", "[outbox]")
{
    int woken = 0;
    FrameCounters counters;
    Outbox outbox(100, [&] { ++woken; }, counters);
    outbox.push("one");
    outbox.detach();
    outbox.push("two");
    CHECK(woken == 1);
    CHECK(counters.dropped == 2);
}

SCENARIO("one frame always fits, and each kind of frame has a bound of its own", "[outbox]")
{
    FrameCounters counters;
    Outbox outbox(10, [] {}, counters);
    outbox.push("longer than the bound");
    CHECK(outbox.take().frames.size() == 1);
    for (const auto kind : {Outbox::Kind::lease, Outbox::Kind::reply}) {
        outbox.push("as large as many outboxes are: a task and what came of it", kind);
        outbox.push("and another", kind);
    }
    CHECK(outbox.push_change(std::make_shared<const std::string>("a change"), 8));
    outbox.push("a message");
    CHECK(outbox.take().frames.size() == 6);
    CHECK_FALSE(outbox.overflowed());
    for (const auto kind : {Outbox::Kind::message, Outbox::Kind::lease, Outbox::Kind::reply}) {
        Outbox small(10, [] {}, counters);
        small.push(std::string(kind == Outbox::Kind::message ? 10 : 160, 'x'), kind);
        CHECK_FALSE(small.overflowed());
        small.push("!", kind);
        CHECK(small.overflowed());
    }
}

SCENARIO("a change that would take more than the budget is not added, and may still be", "[outbox]")
{
    FrameCounters counters;
    Outbox outbox(1000, [] {}, counters);
    const auto ten = std::make_shared<const std::string>("0123456789");
    CHECK(outbox.push_change(ten, 1));
    CHECK(outbox.push_change(ten, 20)); // exactly the budget
    CHECK_FALSE(outbox.push_change(ten, 20));
    CHECK(counters.queued == 2);
    outbox.push_changes({ten, ten});
    CHECK(outbox.take().frames.size() == 4);
    CHECK(outbox.push_change(ten, 20));
    outbox.close(Outbox::Close::going_away);
    CHECK(outbox.push_change(ten, 20)); // there is nobody to fall behind
    CHECK(counters.dropped == 1);
}

SCENARIO("what waits of replies is told, for who should not ask for more", "[outbox]")
{
    FrameCounters counters;
    Outbox outbox(100, [] {}, counters);
    outbox.push("four", Outbox::Kind::reply);
    outbox.push("not a reply");
    outbox.push("more", Outbox::Kind::reply);
    CHECK(outbox.reply_bytes() == 8);
    outbox.take();
    CHECK(outbox.reply_bytes() == 0);
}

SCENARIO("who waits for an outbox to be taken is called once, and at once where nothing waits", "[outbox]")
{
    FrameCounters counters;
    Outbox outbox(100, [] {}, counters);
    int called = 0;
    outbox.when_taken([&] { ++called; });
    CHECK(called == 1);
    outbox.push("one");
    outbox.when_taken([&] { ++called; });
    CHECK(called == 1);
    outbox.take();
    outbox.take();
    CHECK(called == 2);
}

} // namespace coordination
