#include "cli/ctl/top.hpp"

#include <array>
#include <csignal>
#include <utility>

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <unistd.h>

#include "cli/ctl/api.hpp"
#include "cli/ctl/fields.hpp"
#include "cli/ctl/screen.hpp"
#include "cli/ctl/text.hpp"

namespace coordination::ctl {

namespace asio = boost::asio;
namespace json = boost::json;
using net_client::nothrow;

namespace {

constexpr std::string_view tasks_shown_max = "100"; // of each status: more than any terminal has lines

asio::awaitable<tl::expected<TopView, Failure>> look(ContextPtr context)
{
    TopView view;
    view.address = "http://" + context->settings.http.authority();
    auto metrics = co_await get(context, "/api/metrics");
    if (!metrics)
        co_return tl::unexpected(metrics.error());
    view.metrics = std::move(*metrics);
    const auto health =
        co_await context->http.request(boost::beast::http::verb::get, "/health"); // 503 tells, too
    if (health) {
        const auto answer = read_answer(*context, health->body);
        view.health = answer.value_or(json::object{});
    }
    const auto workers = co_await get(context, "/api/workers");
    if (!workers)
        co_return tl::unexpected(workers.error());
    if (const auto* array = find_array(*workers, "workers"))
        view.workers = *array;
    for (const auto* status : {"in_progress", "assigned"}) {
        const Query query{{"status", status}, {"limit", std::string(tasks_shown_max)}};
        const auto tasks = co_await get(context, target_of("/api/tasks", query));
        if (!tasks)
            co_return tl::unexpected(tasks.error());
        if (const auto* array = find_array(*tasks, "tasks"))
            view.tasks.insert(view.tasks.end(), array->begin(), array->end());
    }
    co_return view;
}

asio::awaitable<void> redraw(ContextPtr context, std::shared_ptr<Screen> screen,
                             std::chrono::milliseconds interval)
{
    asio::steady_timer timer{context->executor};
    for (;;) {
        const auto view = co_await look(context);
        const auto& out = context->out;
        if (view)
            screen->draw(top_frame(*view, now_ms(), out.style(), out.columns(), out.rows()) +
                         out.style().paint(Colour::dim, "q quits"));
        else
            screen->draw(shortened(view.error().message, out.columns()) + "\n\ntrying again; q quits");
        timer.expires_after(interval);
        const auto [cancelled] = co_await timer.async_wait(nothrow);
        if (cancelled)
            co_return;
    }
}

asio::awaitable<void> until_quit(ContextPtr context, std::shared_ptr<Screen> screen)
{
    asio::posix::stream_descriptor keyboard{context->executor};
    if (const int descriptor = ::dup(screen->keyboard()); descriptor >= 0)
        keyboard.assign(descriptor);
    for (;;) {
        std::array<char, 1> key{};
        const auto [error, count] = co_await keyboard.async_read_some(asio::buffer(key), nothrow);
        if (!error && (key[0] == 'q' || key[0] == 'Q'))
            co_return;
        if (error) { // no keyboard: a signal ends it
            asio::steady_timer never{context->executor, asio::steady_timer::time_point::max()};
            co_await never.async_wait(nothrow);
            co_return;
        }
    }
}

asio::awaitable<void> until_signal(ContextPtr context)
{
    asio::signal_set signals{context->executor, SIGINT, SIGTERM};
    co_await signals.async_wait(nothrow);
}

} // namespace

asio::awaitable<Outcome> top(ContextPtr context, std::chrono::milliseconds interval)
{
    const auto first = co_await look(context);
    if (!first)
        co_return tl::unexpected(first.error());
    if (context->settings.json) {
        context->out.json(json::serialize(json::object{{"health", first->health},
                                                       {"metrics", first->metrics},
                                                       {"workers", first->workers},
                                                       {"tasks", first->tasks}}));
        co_return Outcome{};
    }
    if (!context->out.is_terminal()) {
        context->out.write(top_frame(*first, now_ms(), context->out.style(), 0, 0));
        co_return Outcome{};
    }
    using namespace asio::experimental::awaitable_operators;
    const auto screen = std::make_shared<Screen>();
    co_await (redraw(context, screen, interval) || until_quit(context, screen) || until_signal(context));
    co_return Outcome{};
}

} // namespace coordination::ctl
