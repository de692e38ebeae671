#include "bench/load/measure.hpp"

#include <fmt/format.h>

#include <cstdio>

namespace coordination::bench {

namespace {

Nanos nanos(double seconds)
{
    return static_cast<Nanos>(seconds * 1e9);
}

} // namespace

Measure::Measure(const Options& options) : options_(options) {}

void Measure::start()
{
    begins_ = now() + nanos(options_.warmup);
    ends_ = begins_ + nanos(options_.seconds);
}

bool Measure::running(Nanos time)
{
    if (!measuring_ && time >= begins_) {
        measuring_ = true;
        // A turn may take long: the window is moved to where it really begins.
        begins_ = time;
        ends_ = begins_ + nanos(options_.seconds);
        server_before_ = use_of(options_.pid);
        own_before_ = own_cpu_seconds();
    }
    if (!over_ && measuring_ && time >= ends_) {
        over_ = true;
        ends_ = time;
        server_after_ = use_of(options_.pid);
        own_after_ = own_cpu_seconds();
    }
    return !over_;
}

void Measure::done(Nanos due, Nanos time, std::size_t count)
{
    if (measuring_ && !over_)
        ops_ += count;
    if (measuring_ && due >= begins_ && (!over_ || due < ends_))
        latency_.add(static_cast<std::uint64_t>(time - due));
}

void Measure::error(std::string_view what)
{
    if (errors_++ == 0)
        first_error_ = what.substr(0, 300);
}

void Measure::note(std::string_view name, double value)
{
    notes_ += fmt::format(",\"{}\":{:.6g}", name, value);
}

bool Measure::report() const
{
    const auto seconds = static_cast<double>(ends_ - begins_) / 1e9;
    const auto ms = [&](double share) { return static_cast<double>(latency_.percentile(share)) / 1e6; };
    const auto per_op = [&](double cpu) { return ops_ == 0 ? 0 : cpu * 1e6 / static_cast<double>(ops_); };
    const auto server = server_after_.cpu_seconds - server_before_.cpu_seconds;
    const auto own = own_after_ - own_before_;
    fmt::print("{{\"scenario\":\"{}\",\"producers\":{},\"inFlight\":{},\"workers\":{},\"payload\":{},"
               "\"automatic\":{},"
               "\"rate\":{},\"waiting\":{},\"subscribers\":{},\"stalled\":{},\"seconds\":{:.3f}",
               options_.scenario, options_.producers, options_.in_flight, options_.workers, options_.payload,
               options_.automatic, options_.rate, options_.waiting, options_.subscribers, options_.stalled,
               seconds);
    fmt::print(",\"ops\":{},\"opsPerSecond\":{:.0f},\"p50Ms\":{:.4f},\"p90Ms\":{:.4f},\"p99Ms\":{:.4f},"
               "\"p999Ms\":{:.4f},"
               "\"maxMs\":{:.4f}",
               ops_, static_cast<double>(ops_) / seconds, ms(0.5), ms(0.9), ms(0.99), ms(0.999),
               static_cast<double>(latency_.max()) / 1e6);
    fmt::print(",\"serverCpuUsPerOp\":{:.3f},\"serverCpuShare\":{:.3f},\"serverRssMb\":{:.1f},"
               "\"clientCpuUsPerOp\":{:.3f},"
               "\"clientCpuShare\":{:.3f}{},\"errors\":{}}}\n",
               per_op(server), server / seconds, static_cast<double>(server_after_.rss_bytes) / 1e6,
               per_op(own), own / seconds, notes_, errors_);
    if (errors_ != 0)
        fmt::print(stderr, "coordbench: {} errors, the first: {}\n", errors_, first_error_);
    return errors_ == 0 && ops_ != 0;
}

} // namespace coordination::bench
