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
    CHECK(outbox.bytes() == 6);
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

SCENARIO("one frame always fits, and leases have a bound of their own", "[outbox]")
{
    FrameCounters counters;
    Outbox outbox(10, [] {}, counters);
    outbox.push("longer than the bound");
    CHECK(outbox.take().frames.size() == 1);
    outbox.push_lease("a large task");
    outbox.push_lease("and another");
    CHECK_FALSE(outbox.overflowed());
    outbox.push("!");
    CHECK(outbox.overflowed());
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
