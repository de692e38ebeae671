#pragma once

#include "net/client/client_thread.hpp"
#include "support/json.hpp"

#include <boost/asio/use_future.hpp>

#include <condition_variable>
#include <deque>
#include <future>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace coordination::testing {

/// What happened on other threads, for a test to wait for.
class Diary {
public:
    void note(std::string entry);
    /// Waits until it is there, and crosses it out. Throws at the deadline, showing what is there instead.
    void await(std::string_view entry);
    /// Waits for an entry that begins so, crosses it out and returns it.
    std::string await_beginning(std::string_view beginning);
    /// Of those that were not crossed out.
    std::size_t count(std::string_view beginning) const;

private:
    std::string show() const;

    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<std::string> entries_;
};

/// A client whose events are written down: "connected", "registered", "task t1/2", "stopped t1/2", "error
/// CODE text", "change tasks:set:t1@5", "message m1", …
class Probe {
public:
    /// Reconnects within a few milliseconds.
    static CoordinationClientOptions options(std::uint16_t ws_port, std::uint16_t http_port = 1);

    explicit Probe(CoordinationClientOptions options);
    ~Probe();

    CoordinationClient* operator->() { return &*client_; }

    /// The attempt that was assigned last: its handler has been called.
    AssignedTask await_task(std::string_view id, int attempt = 1);
    void await(std::string_view entry) { diary.await(entry); }

    Diary diary;

private:
    void on_task(const AssignedTask& task);

    std::mutex mutex_;
    std::deque<AssignedTask> tasks_;
    std::deque<std::stop_callback<std::function<void()>>> stops_;
    ClientThread client_;
};

/// What the call came to. Throws at the deadline.
Answer outcome(std::future<Answer>& call);
/// Likewise, and throws unless it was success.
boost::json::object success(std::future<Answer> call);
CallError failure(std::future<Answer> call);
/// Whether it has not been answered.
bool waits(const std::future<Answer>& call);

} // namespace coordination::testing
