#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace coordination::bench {

/// What one run does. Each scenario reads what concerns it.
struct Options {
    std::string scenario;
    std::uint16_t http_port = 9500;
    std::uint16_t ws_port = 9501;
    std::uint16_t port = 0; // of a peer
    int pid = 0;            // of the server, for its CPU time and memory; 0: left out
    int cpu = -1;

    std::size_t producers = 4;
    std::size_t in_flight = 1; // per producer, or per connection where there is no producer
    std::size_t workers = 10;
    std::size_t payload = 128;
    bool automatic = false;
    double rate = 0; // operations per second; 0: as many as can be
    double warmup = 0.5;
    double seconds = 3;

    std::size_t waiting = 0; // tasks that nobody can take, put in first
    std::size_t subscribers = 0;
    std::size_t stalled = 0; // subscribers that never read
    std::string topics = "*";
    std::string path = "/api/workers/worker-00000";
};

/// Ends the program, with the usage on standard error, where the arguments say nothing sensible.
Options parse(int argc, char** argv);

} // namespace coordination::bench
