#pragma once

#include "core/histogram.hpp"

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

/// Subscribers to every change, for benchmarks: many that read, and one that never does. Each failure ends the
/// program with a line that says which.
namespace coordination::bench {

[[noreturn]] void give_up(std::string_view what);

int connect_to(std::uint16_t port);
void send_all(int socket, std::string_view bytes);
/// Reads until `end` has come.
std::string receive_until(int socket, std::string_view end);
/// As a client sends it.
void append_frame(std::string& out, std::string_view text);
int open_websocket(std::uint16_t port);
/// Has been answered when this returns.
int open_subscriber(std::uint16_t port, std::string_view policy);

std::int64_t nanoseconds(std::chrono::steady_clock::time_point at);

/// When each call was due: two for each task, its assignment and its completion. By the number of the task, which is
/// its id behind a `b` and in nine digits.
struct Due {
    std::vector<std::array<std::atomic<std::int64_t>, 2>> at;
};

/// A subscriber that reads. Looks at no more of a frame than tells it from the others.
class Reader {
public:
    explicit Reader(int socket) : socket_(socket) {}
    ~Reader();
    Reader(const Reader&) = delete;
    Reader& operator=(const Reader&) = delete;

    int socket() const { return socket_; }
    std::uint64_t changes() const { return changes_.load(std::memory_order_relaxed); }
    void receive(std::vector<char>& buffer, const Due& due, Histogram& us);

private:
    int socket_;
    std::string rest_;
    std::atomic<std::uint64_t> changes_ = 0;
};

/// Those, in a thread of their own.
class Readers {
public:
    Readers(std::uint16_t port, std::size_t count, const Due& due);
    ~Readers();
    Readers(const Readers&) = delete;
    Readers& operator=(const Readers&) = delete;

    /// Where the times go from now on. When all that was sent has been read.
    void into(Histogram& us) { us_ = &us; }
    /// How many changes each of them has read at least.
    std::uint64_t least() const;

private:
    void run();

    const Due& due_;
    int poll_;
    std::vector<std::unique_ptr<Reader>> all_;
    std::atomic<Histogram*> us_ = nullptr;
    std::atomic<bool> stopped_ = false;
    std::thread thread_;
};

/// The subscriber that never reads.
class BadReader {
public:
    BadReader(std::uint16_t port, std::string_view policy);
    ~BadReader();
    BadReader(const BadReader&) = delete;
    BadReader& operator=(const BadReader&) = delete;

    void come_back_if_cut_off();
    int cut_off() const { return cut_off_; }

private:
    std::uint16_t port_;
    std::string policy_;
    int socket_;
    int cut_off_ = 0;
};

} // namespace coordination::bench
