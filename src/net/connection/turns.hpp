#pragma once

#include "net/connection/strand.hpp"

#include <cstdint>
#include <memory>

namespace coordination {

class TurnQueue;

/// Something to be run once: a member function of an object that is kept until then, if `keep` does.
struct Turn {
    std::shared_ptr<void> keep;
    void* object;
    void (*run)(void* object);
};

/// A strand's way to "when what is ready has run": like asio::post(), but where one thread runs everything, what is
/// posted by handlers is run in one go, and costs neither an allocation nor a look at the sockets for each. That is
/// a quarter of a task's time where few are in flight.
///
/// Threads  Any.
class Turns {
public:
    explicit Turns(Strand strand);

    /// The object is kept until its member function has run.
    template <auto member, class Object>
    void post(std::shared_ptr<Object> object)
    {
        auto* const raw = object.get();
        post(Turn{std::move(object), raw, &call<member, Object>});
    }
    /// The object outlives the strand's work.
    template <auto member, class Object>
    void post(Object* object)
    {
        post(Turn{nullptr, object, &call<member, Object>});
    }

    /// How often handlers of the thread have said that a socket brought something: whether more has come since then.
    /// Always 0 where there are many threads.
    std::uint64_t inputs() const noexcept;
    void note_input() noexcept;

    const Strand& strand() const noexcept { return strand_; }

private:
    template <auto member, class Object>
    static void call(void* object)
    {
        (static_cast<Object*>(object)->*member)();
    }
    void post(Turn turn);

    Strand strand_;
    TurnQueue* queue_; ///< of the one thread; none: there are many
};

} // namespace coordination
