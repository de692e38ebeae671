// The load generator: one thread, far cheaper than the server that it measures. Prints one line of JSON.
//
//   coordbench SCENARIO [OPTIONS]      without arguments: what there is
//
// Start the daemon with --max-tasks-per-worker and --heartbeat-timeout large enough: tools/bench/compare
// does.

#include "bench/load/loop.hpp"
#include "bench/load/options.hpp"
#include "bench/load/scenarios.hpp"

#include <fmt/format.h>

#include <array>
#include <string_view>

namespace {

using namespace coordination::bench;

struct Scenario {
    std::string_view name;
    bool (*run)(const Options&);
};

constexpr std::array scenarios{
    Scenario{"lifecycle", lifecycle},
    Scenario{"heartbeats", heartbeats},
    Scenario{"http-reads", http_reads},
    Scenario{"fanout", fanout},
    Scenario{"connect", hold},
    Scenario{"churn", churn},
    Scenario{"peer-redis-list", peer_redis_list},
    Scenario{"peer-redis-stream", peer_redis_stream},
    Scenario{"peer-beanstalkd", peer_beanstalkd},
    Scenario{"peer-nats", peer_nats},
};

} // namespace

int main(int argc, char** argv)
{
    const auto options = parse(argc, argv);
    pin_to(options.cpu);
    allow_many_descriptors();
    for (const auto& scenario : scenarios)
        if (scenario.name == options.scenario)
            return scenario.run(options) ? 0 : 1;
    give_up(fmt::format("there is no scenario {}", options.scenario));
}
