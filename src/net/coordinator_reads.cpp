#include "net/coordinator.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/use_awaitable.hpp>

/// How the state is looked at from elsewhere.
namespace coordination {

namespace asio = boost::asio;

asio::awaitable<void> Coordinator::read(std::function<void(const StateStore&)> look)
{
    const auto on_strand = [this, &look]() -> asio::awaitable<void> {
        look(engine_.store());
        co_return;
    };
    co_await asio::co_spawn(strand_, on_strand, asio::use_awaitable);
}

asio::awaitable<std::shared_ptr<FrozenView>> Coordinator::freeze()
{
    std::shared_ptr<FrozenView> view;
    const auto on_strand = [this, &view]() -> asio::awaitable<void> {
        view = view_of_now();
        co_return;
    };
    co_await asio::co_spawn(strand_, on_strand, asio::use_awaitable);
    co_return view;
}

asio::awaitable<Coordinator::Snapshot> Coordinator::begin_snapshot()
{
    Snapshot snapshot;
    const auto on_strand = [this, &snapshot]() -> asio::awaitable<void> {
        snapshot.view = view_of_now();
        snapshot.sink = journal_.put_snapshot(snapshot.view->revision());
        co_return;
    };
    co_await asio::co_spawn(strand_, on_strand, asio::use_awaitable);
    co_return snapshot;
}

std::shared_ptr<FrozenView> Coordinator::view_of_now()
{
    const auto let_go = [strand = strand_](FrozenView* last) {
        asio::dispatch(strand, [last] { delete last; });
    };
    return {new FrozenView(engine_.store()), let_go};
}

} // namespace coordination
