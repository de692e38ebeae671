#include "bench/load/process.hpp"

#include <fmt/format.h>

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <system_error>

namespace coordination::bench {

ProcessUse use_of(int pid)
{
    if (pid <= 0)
        return {};
    std::ifstream file(fmt::format("/proc/{}/stat", pid));
    std::string line;
    std::getline(file, line);
    // The name, in parentheses, may hold blanks; the fields are counted behind it.
    const auto fields = line.rfind(')');
    if (fields == std::string::npos)
        return {};
    unsigned long user = 0;
    unsigned long system = 0;
    unsigned long pages = 0;
    if (std::sscanf(line.c_str() + fields + 2,
                    "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu %*d %*d %*d %*d %*d %*d %*u %*u %lu",
                    &user, &system, &pages) != 3)
        return {};
    return {.cpu_seconds = static_cast<double>(user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK)),
            .rss_bytes = pages * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE))};
}

double own_cpu_seconds()
{
    rusage use{};
    ::getrusage(RUSAGE_SELF, &use);
    const auto seconds = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
    };
    return seconds(use.ru_utime) + seconds(use.ru_stime);
}

std::size_t descriptors_of(int pid)
{
    std::error_code missing;
    const std::filesystem::directory_iterator files(fmt::format("/proc/{}/fd", pid), missing);
    return missing ? 0 : static_cast<std::size_t>(std::distance(begin(files), end(files)));
}

} // namespace coordination::bench
