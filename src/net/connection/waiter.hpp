#pragma once

#include <concepts>
#include <memory>
#include <type_traits>
#include <utility>

namespace coordination {

/// A completion handler of any type, to be called once. (Asio's any_completion_handler of Boost 1.81 calls
/// itself for ever when it is assigned.)
template <class... Args>
class Waiter {
public:
    Waiter() = default;

    template <class Handler>
        requires(!std::same_as<std::decay_t<Handler>, Waiter>)
    explicit Waiter(Handler&& handler)
        : held_(std::make_unique<Held<std::decay_t<Handler>>>(std::forward<Handler>(handler)))
    {
    }

    /// The memory is free again before the handler runs, so that it may wait anew.
    void operator()(Args... args) &&
    {
        auto held = std::move(held_);
        held->call(held, std::move(args)...);
    }

private:
    struct Base {
        virtual ~Base() = default;
        virtual void call(std::unique_ptr<Base>& self, Args... args) = 0;
    };
    template <class Handler>
    struct Held final : Base {
        explicit Held(Handler h) : handler(std::move(h)) {}
        void call(std::unique_ptr<Base>& self, Args... args) override
        {
            auto mine = std::move(handler);
            self.reset();
            std::move(mine)(std::move(args)...);
        }
        Handler handler;
    };

    std::unique_ptr<Base> held_;
};

} // namespace coordination
