#pragma once

#include "bench/load/measure.hpp"
#include "bench/load/options.hpp"

namespace coordination::bench {

/// Each prints one line of JSON and tells whether the run was good.
bool lifecycle(const Options& options);
bool heartbeats(const Options& options);
bool http_reads(const Options& options);
bool fanout(const Options& options);
bool hold(const Options& options);
bool churn(const Options& options);
bool peer_redis_list(const Options& options);
bool peer_redis_stream(const Options& options);
bool peer_beanstalkd(const Options& options);
bool peer_nats(const Options& options);

} // namespace coordination::bench
