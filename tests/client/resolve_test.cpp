#include "client/probe.hpp"

#include <catch2/catch.hpp>

#include <dlfcn.h>
#include <netdb.h>

#include <atomic>
#include <latch>

using namespace coordination;
using namespace coordination::testing;
using boost::asio::use_future;

namespace {

/// The look-up of "slow.test" takes as long as one of these lives.
class SlowNames {
public:
    SlowNames() { current = this; }
    ~SlowNames()
    {
        current = nullptr;
        over_.count_down();
        while (const auto left = within.load())
            within.wait(left);
    }

    void look_up()
    {
        begun_.count_down();
        over_.wait();
    }
    void await_look_up() { begun_.wait(); }

    static std::atomic<SlowNames*> current;
    static std::atomic<int> within;

private:
    std::latch begun_{1};
    std::latch over_{1};
};

std::atomic<SlowNames*> SlowNames::current = nullptr;
std::atomic<int> SlowNames::within = 0;

CoordinationClientOptions slow_options()
{
    auto options = Probe::options(1);
    options.ws_url = "ws://slow.test:1";
    options.http_url = "http://slow.test:1";
    options.reconnect = false;
    return options;
}

} // namespace

/// Takes the C library's place in this program.
extern "C" int getaddrinfo(const char* node, const char* service, const addrinfo* hints, addrinfo** results)
{
    if (node && std::string_view(node) == "slow.test") {
        ++SlowNames::within;
        if (auto* slow = SlowNames::current.load())
            slow->look_up();
        --SlowNames::within;
        SlowNames::within.notify_all();
        return EAI_NONAME;
    }
    static const auto original = reinterpret_cast<decltype(&getaddrinfo)>(::dlsym(RTLD_NEXT, "getaddrinfo"));
    return original(node, service, hints, results);
}

SCENARIO("a name whose look-up takes too long is given up at the connect timeout", "[client]")
{
    auto options = slow_options();
    options.connect_timeout = std::chrono::milliseconds{20};
    ClientThread client(options);
    const SlowNames slow;
    const auto over_ws = failure(client->connect(use_future));
    CHECK(over_ws.kind == CallErrorKind::unreachable);
    CHECK(over_ws.message == "its name was not resolved in time");
    CHECK(failure(client->get_state(use_future)).kind == CallErrorKind::unreachable);
}

SCENARIO("a client that looks a name up disconnects at once", "[client]")
{
    auto options = slow_options();
    options.connect_timeout = std::chrono::hours{1};
    ClientThread client(options);
    SlowNames slow;
    auto connecting = client->connect(use_future);
    slow.await_look_up();
    success(client->disconnect(use_future));
    CHECK(failure(std::move(connecting)).kind == CallErrorKind::stopped);
}
