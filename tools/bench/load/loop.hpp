#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace coordination::bench {

/// Nanoseconds of the monotonic clock.
using Nanos = std::int64_t;
Nanos now() noexcept;

/// Ends the program with one line on standard error: a benchmark that went wrong has no figures.
[[noreturn]] void give_up(std::string_view what);

class Loop;

/// A file descriptor that a loop watches. Closed with the object.
class Source {
public:
    explicit Source(int fd) noexcept : fd_(fd) {}
    virtual ~Source();
    Source(const Source&) = delete;
    Source& operator=(const Source&) = delete;

    int fd() const noexcept { return fd_; }
    virtual void ready(Loop& loop, std::uint32_t events) = 0;
    /// The turn after flush_later().
    virtual void flush(Loop& loop) = 0;

private:
    int fd_;
};

/// One thread's epoll loop, made for few system calls: a turn sends each connection all that was produced for
/// it, in one call, waits once, and reads each ready connection once. A source must not be destroyed while it
/// is being handled.
class Loop {
public:
    Loop();
    ~Loop();
    Loop(const Loop&) = delete;
    Loop& operator=(const Loop&) = delete;

    void add(Source& source);
    void remove(Source& source);
    void want_write(Source& source, bool wanted);
    /// Pauses or resumes reading from it.
    void want_read(Source& source, bool wanted);
    void flush_later(Source& source) { dirty_.push_back(&source); }

    /// Flushes, waits for at most `wait` nanoseconds (negative: for ever) and handles what came.
    void turn(Nanos wait);
    /// The time at which the turn woke up.
    Nanos woke() const noexcept { return woke_; }

private:
    int epoll_;
    Nanos woke_ = 0;
    std::vector<Source*> dirty_;
    std::vector<Source*> flushing_;
};

/// A stream socket with buffers on both sides.
class Link : public Source {
public:
    Link(Loop& loop, int fd);
    ~Link() override;

    /// What stands here goes out at the next turn.
    std::string& out()
    {
        if (!dirty_) {
            dirty_ = true;
            loop_.flush_later(*this);
        }
        return out_;
    }
    bool alive() const noexcept { return alive_; }
    void read_no_more() { loop_.want_read(*this, false); }

    void ready(Loop& loop, std::uint32_t events) final;
    void flush(Loop& loop) final;

protected:
    /// Handles whole messages at the front of `bytes` and tells how many bytes that were; the rest comes
    /// again, with more.
    virtual std::size_t received(std::string_view bytes) = 0;
    /// The connection ended, without our doing.
    virtual void lost(std::string_view why) = 0;

    Loop& loop() noexcept { return loop_; }

private:
    void take(std::string_view bytes);
    void lose(std::string_view why);

    Loop& loop_;
    std::string in_;
    std::string out_;
    bool dirty_ = false;
    bool writing_ = false;
    bool alive_ = true;
};

/// A connected socket to 127.0.0.1:`port`, or the end of the program. `receive_buffer` 0 leaves the kernel's
/// choice.
int connect_to(std::uint16_t port, int receive_buffer = 0);
/// A socket that listens at 127.0.0.1:`port` (0: a free one, told in `port`), or the end of the program.
int listen_at(std::uint16_t& port);
/// Accepts one connection; negative when none waits.
int accept_from(int listener);
/// As many as the kernel lets this user have.
void allow_many_descriptors();
/// Keeps this thread on one core; negative: leaves it free.
void pin_to(int cpu);

} // namespace coordination::bench
