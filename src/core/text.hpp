#pragma once

#include <atomic>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

namespace coordination {

/// An immutable string whose copies share one buffer. Records are copied on each change (for the rollback
/// journal, for watchers, for frozen views), so what is large in them must be cheap to copy: 8 bytes and a
/// counter.
///
/// Threads  Like shared_ptr: different copies may be used by different threads at once.
class Text {
public:
    Text() noexcept = default;
    explicit Text(std::string_view text);
    Text(const Text& other) noexcept : block_(other.block_)
    {
        if (block_)
            block_->owners.fetch_add(1, std::memory_order_relaxed);
    }
    Text(Text&& other) noexcept : block_(other.block_) { other.block_ = nullptr; }
    Text& operator=(Text other) noexcept
    {
        Block* mine = block_;
        block_ = other.block_;
        other.block_ = mine;
        return *this;
    }
    ~Text()
    {
        if (block_ && block_->owners.fetch_sub(1, std::memory_order_acq_rel) == 1)
            release(block_);
    }

    std::string_view view() const noexcept
    {
        if (!block_)
            return {};
        return {reinterpret_cast<const char*>(block_ + 1), block_->size};
    }
    operator std::string_view() const noexcept { return view(); }
    bool empty() const noexcept { return !block_; }
    std::size_t size() const noexcept { return block_ ? block_->size : 0; }

    /// Tells the processor that the text, or the end of one of its copies, comes soon.
    void prefetch() const noexcept { __builtin_prefetch(block_, 1); }

    friend bool operator==(const Text& a, const Text& b) noexcept
    {
        return a.block_ == b.block_ || a.view() == b.view();
    }
    friend std::strong_ordering operator<=>(const Text& a, const Text& b) noexcept
    {
        return a.view() <=> b.view();
    }

private:
    struct Block {
        std::atomic<std::uint32_t> owners;
        std::uint32_t size;
    };
    static void release(Block* block) noexcept;

    Block* block_ = nullptr; // none: the empty string
};

/// An identifier of one kind of thing; another kind's does not convert to it.
template <class Kind>
struct Id {
    Text text;

    Id() = default;
    explicit Id(Text value) noexcept : text(std::move(value)) {}
    explicit Id(std::string_view value) : text(value) {}

    std::string_view view() const noexcept { return text.view(); }
    bool empty() const noexcept { return text.empty(); }
    friend bool operator==(const Id&, const Id&) noexcept = default;
    friend auto operator<=>(const Id&, const Id&) noexcept = default;
};

} // namespace coordination
