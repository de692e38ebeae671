#include "net/clock.hpp"

namespace coordination {

SystemClock::SystemClock() noexcept
    : wall_at_start_(std::chrono::system_clock::now()),
      steady_at_start_(std::chrono::steady_clock::now())
{
}

Timestamp SystemClock::now() const noexcept
{
    const auto passed = std::chrono::steady_clock::now() - steady_at_start_;
    return std::chrono::floor<std::chrono::milliseconds>(
        wall_at_start_ + std::chrono::duration_cast<std::chrono::system_clock::duration>(passed));
}

} // namespace coordination
