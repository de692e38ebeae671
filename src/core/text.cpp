#include "core/text.hpp"

#include <cstring>
#include <limits>
#include <new>
#include <stdexcept>

namespace coordination {

Text::Text(std::string_view text)
{
    if (text.empty())
        return;
    if (text.size() > std::numeric_limits<std::uint32_t>::max())
        throw std::length_error("a text of 4 GiB or more");
    void* memory = ::operator new(sizeof(Block) + text.size());
    block_ = new (memory) Block{1, static_cast<std::uint32_t>(text.size())};
    std::memcpy(block_ + 1, text.data(), text.size());
}

void Text::release(Block* block) noexcept
{
    block->~Block();
    ::operator delete(block);
}

} // namespace coordination
