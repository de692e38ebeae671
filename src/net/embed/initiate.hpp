#pragma once

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>

#include <functional>
#include <memory>
#include <utility>

namespace coordination {

/// Turns an operation that calls a std::function when it is done into one that takes any completion token of
/// Asio: use_awaitable, use_future, a callback. The handler runs on its own executor, or `otherwise` where it has
/// none.
template <class Outcome, class Executor, class Token, class Start>
auto initiate(Executor otherwise, Token&& token, Start start)
{
    namespace asio = boost::asio;
    const auto begin = [otherwise](auto handler, Start begun) {
        auto executor = asio::get_associated_executor(handler, otherwise);
        auto work = asio::make_work_guard(executor);
        auto held = std::make_shared<decltype(handler)>(std::move(handler));
        begun([executor, held, work](Outcome outcome) mutable {
            asio::post(executor, [held, outcome = std::move(outcome)]() mutable {
                std::move (*held)(std::move(outcome));
            });
            work.reset();
        });
    };
    return asio::async_initiate<Token, void(Outcome)>(begin, token, std::move(start));
}

} // namespace coordination
