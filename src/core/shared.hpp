#pragma once

#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>

#include <utility>

namespace coordination {

/// An immutable value that rows share, or none. Half as large as a shared_ptr: of a million waiting tasks each pays for
/// those that it does not have.
///
/// Threads  Like shared_ptr: different copies may be used by different threads at once.
template <class Value>
class Shared {
public:
    Shared() noexcept = default;
    explicit Shared(Value value) : held_(new Held(std::move(value))) {}

    const Value& operator*() const noexcept { return held_->value; }
    const Value* operator->() const noexcept { return &held_->value; }
    explicit operator bool() const noexcept { return held_ != nullptr; }

private:
    struct Held : boost::intrusive_ref_counter<Held> {
        explicit Held(Value v) : value(std::move(v)) {}
        const Value value;
    };

    boost::intrusive_ptr<const Held> held_;
};

} // namespace coordination
