#include "persist/snapshot/checksum.hpp"

#include <fmt/format.h>
#include <xxhash.h>

#include <new>

namespace coordination {

Checksum::Checksum() : state_(XXH3_createState())
{
    if (!state_)
        throw std::bad_alloc();
    XXH3_64bits_reset(state_.get());
}

void Checksum::Release::operator()(XXH3_state_s* state) const noexcept
{
    XXH3_freeState(state);
}

void Checksum::add(std::string_view bytes) noexcept
{
    XXH3_64bits_update(state_.get(), bytes.data(), bytes.size());
}

std::string Checksum::text() const
{
    return fmt::format("xxh3:{:016x}", XXH3_64bits_digest(state_.get()));
}

} // namespace coordination
