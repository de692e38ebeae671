#pragma once

#include <cstddef>

namespace coordination::bench {

/// What /proc tells of a process; zero for a process that is not there.
struct ProcessUse {
    double cpu_seconds = 0; // user and system
    std::size_t rss_bytes = 0;
};

ProcessUse use_of(int pid);
/// CPU seconds of this process.
double own_cpu_seconds();
std::size_t descriptors_of(int pid);

} // namespace coordination::bench
