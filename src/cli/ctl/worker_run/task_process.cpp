#include "cli/ctl/worker_run/task_process.hpp"

#include <array>
#include <chrono>
#include <csignal>
#include <cstring>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/write.hpp>
#include <fmt/format.h>

#include "net/client/connect.hpp"

namespace coordination::ctl {

namespace asio = boost::asio;
namespace json = boost::json;
using net_client::nothrow;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t output_bytes_max = 64U << 10U;
constexpr std::size_t error_bytes_max = 16U << 10U;
constexpr auto streams_grace = 1s; // for what the command left running with its streams open

} // namespace

TaskProcess::TaskProcess(const asio::any_io_executor& executor, std::shared_ptr<ChildProcess> child,
                         std::string name, std::chrono::milliseconds grace)
    : child_(std::move(child)),
      name_(std::move(name)),
      grace_(grace),
      grace_over_(executor),
      lingering_(executor),
      out_(output_bytes_max),
      err_(error_bytes_max)
{
}

tl::expected<std::shared_ptr<TaskProcess>, std::string>
TaskProcess::start(const asio::any_io_executor& executor, const ChildCommand& command,
                   std::chrono::milliseconds grace)
{
    auto child = ChildProcess::start(executor, command);
    if (!child)
        return tl::unexpected(child.error());
    return std::shared_ptr<TaskProcess>(
        new TaskProcess(executor, std::move(*child), command.command.front(), grace));
}

asio::awaitable<Ending> TaskProcess::attend(std::string input, Listener listener)
{
    using namespace asio::experimental::awaitable_operators;
    const auto self = shared_from_this();
    LineSplitter::Sink on_out = [this, &listener](std::string_view line) {
        if (const auto progress = parse_progress(line))
            return listener.progress(*progress);
        out_.add_line(line);
        listener.out_line(line);
    };
    LineSplitter::Sink on_err = [this, &listener](std::string_view line) {
        err_.add_line(line);
        listener.err_line(line);
    };
    co_await (feed(std::move(input)) && listen(&child_->out, std::move(on_out)) &&
              listen(&child_->err, std::move(on_err)) && reap());
    co_return ending();
}

void TaskProcess::terminate()
{
    child_->signal(SIGTERM);
    grace_over_.expires_after(grace_);
    grace_over_.async_wait([self = shared_from_this()](const boost::system::error_code& cancelled) {
        if (!cancelled)
            self->child_->signal(SIGKILL);
    });
}

asio::awaitable<void> TaskProcess::feed(std::string input)
{
    // A command that does not care for its input closes it, and that is no failure.
    co_await asio::async_write(child_->in, asio::buffer(input), nothrow);
    boost::system::error_code ignored;
    child_->in.close(ignored);
}

asio::awaitable<void> TaskProcess::listen(asio::posix::stream_descriptor* stream, LineSplitter::Sink sink)
{
    LineSplitter lines;
    std::array<char, 16384> block{};
    for (;;) {
        const auto [error, count] = co_await stream->async_read_some(asio::buffer(block), nothrow);
        if (error)
            break;
        lines.feed({block.data(), count}, sink);
    }
    lines.finish(sink);
    if (--open_streams_ == 0)
        lingering_.cancel();
}

asio::awaitable<void> TaskProcess::reap()
{
    status_ = co_await child_->wait();
    grace_over_.cancel();
    boost::system::error_code ignored;
    if (open_streams_ > 0) {
        lingering_.expires_after(streams_grace);
        co_await lingering_.async_wait(nothrow);
    }
    child_->in.close(ignored);
    child_->out.close(ignored);
    child_->err.close(ignored);
}

Ending TaskProcess::ending() const
{
    if (!status_.signalled && status_.number == 0)
        return {.completed = true, .detail = {{"exitCode", 0}, {"output", out_.text()}}};
    Ending ending;
    if (status_.signalled) {
        const char* abbreviation = ::sigabbrev_np(status_.number);
        const auto signal =
            abbreviation ? fmt::format("SIG{}", abbreviation) : std::to_string(status_.number);
        ending.detail["message"] = fmt::format("{} was ended by {}", name_, signal);
        ending.detail["signal"] = signal;
    } else {
        ending.detail["message"] = fmt::format("{} ended with exit status {}", name_, status_.number);
        ending.detail["exitCode"] = status_.number;
    }
    ending.detail["stderr"] = err_.text();
    return ending;
}

} // namespace coordination::ctl
