#pragma once

#include "bench/load/loop.hpp"
#include "bench/load/options.hpp"
#include "bench/load/process.hpp"
#include "core/histogram.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace coordination::bench {

/// The figures of one run: what was done within the window, and how long it took. Latencies are those of the
/// operations that were due within the window, also where they ended after it, so that a server that stalls
/// does not look good.
class Measure {
public:
    explicit Measure(const Options& options);

    /// The warm-up begins.
    void start();
    /// To be called once per turn; false once the window is over.
    bool running(Nanos time);
    /// `count` operations that were due at `due` have ended.
    void done(Nanos due, Nanos time, std::size_t count = 1);
    /// A reply that was not success. The run goes on, and fails at its end.
    void error(std::string_view what);
    bool failed() const noexcept { return errors_ != 0; }

    /// A further figure for the line, as JSON.
    void note(std::string_view name, double value);
    /// Prints the line; tells whether the run was good.
    bool report() const;

    Nanos begins() const noexcept { return begins_; }

private:
    const Options& options_;
    Nanos begins_ = 0;
    Nanos ends_ = 0;
    bool measuring_ = false;
    bool over_ = false;
    Histogram latency_; // nanoseconds
    std::size_t ops_ = 0;
    std::size_t errors_ = 0;
    std::string first_error_;
    std::string notes_;
    ProcessUse server_before_;
    ProcessUse server_after_;
    double own_before_ = 0;
    double own_after_ = 0;
};

} // namespace coordination::bench
