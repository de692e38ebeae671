#include "net/connection/corked_socket.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/write.hpp>
#include <catch2/catch.hpp>

#include <array>
#include <chrono>
#include <string>
#include <thread>

namespace coordination {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

/// A corked socket whose peer takes what the test takes.
struct Pair {
    Pair() : peer(io)
    {
        tcp::acceptor acceptor(io);
        acceptor.open(tcp::v4());
        acceptor.set_option(tcp::socket::receive_buffer_size(small)); // for what it accepts
        acceptor.bind({asio::ip::address_v4::loopback(), 0});
        acceptor.listen();
        Socket ours(asio::any_io_executor(io.get_executor()));
        ours.open(tcp::v4());
        ours.set_option(tcp::socket::send_buffer_size(small));
        ours.connect(acceptor.local_endpoint());
        acceptor.accept(peer);
        corked = std::make_shared<CorkedSocket>(std::move(ours));
    }
    ~Pair()
    {
        corked->abort();
        io.poll();
    }

    /// Lets the peer take some. Returns how much that made us send.
    std::size_t take()
    {
        const auto before = corked->unsent();
        std::array<char, 4096> bytes;
        error_code ignored;
        peer.non_blocking(true);
        peer.read_some(asio::buffer(bytes), ignored);
        io.restart();
        io.poll();
        return before - corked->unsent();
    }

    void let_time_pass()
    {
        const auto now = steady_millis();
        while (steady_millis() == now)
            std::this_thread::yield();
    }

    static constexpr int small = 4096;
    asio::io_context io;
    tcp::socket peer;
    std::shared_ptr<CorkedSocket> corked;
};

} // namespace

SCENARIO("a peer that takes a byte now and then is stalled like one that takes none", "[corked_socket]")
{
    Pair pair;
    auto& corked = *pair.corked;
    CHECK(corked.stalled_since() == 0);
    const std::string much(1 << 20, 'x');
    corked.write(much);
    pair.io.poll();
    const auto begun = corked.stalled_since();
    CHECK(begun != 0);
    std::size_t drained = much.size() - corked.unsent(); // into the system's buffers
    pair.let_time_pass();
    while (drained < CorkedSocket::drained_min) {
        CHECK(corked.stalled_since() == begun);
        drained += pair.take();
    }
    CHECK(corked.stalled_since() > begun);
    while (corked.unsent() > 0)
        pair.take();
    CHECK(corked.stalled_since() == 0);
}

SCENARIO("whoever waits for something else hears of a failure, in whatever way it comes", "[corked_socket]")
{
    Pair pair;
    auto& corked = *pair.corked;
    int told = 0;
    corked.on_failure([&] {
        CHECK(corked.failed());
        ++told;
    });
    SECTION("an abort with nothing on its way")
    {
        corked.abort();
    }
    SECTION("an abort while the peer does not take what was sent")
    {
        corked.write(std::string(1 << 20, 'x'));
        pair.io.poll();
        REQUIRE(corked.unsent() > 0);
        corked.abort();
    }
    SECTION("a peer that has gone")
    {
        pair.peer.set_option(asio::socket_base::linger(true, 0)); // resets
        pair.peer.close();
        corked.write("x");
    }
    pair.io.restart();
    pair.io.poll();
    CHECK(told == 1);
    corked.abort(); // again
    pair.io.restart();
    pair.io.poll();
    CHECK(told == 1);
}

} // namespace coordination
