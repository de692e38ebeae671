#include "cli/ctl/worker_run/worker_run.hpp"

#include <array>
#include <csignal>
#include <utility>

#include <fmt/format.h>
#include <unistd.h>

#include "cli/ctl/worker_run/agent.hpp"

namespace coordination::ctl {

namespace {

std::string own_id()
{
    std::array<char, 256> name{};
    if (::gethostname(name.data(), name.size() - 1) != 0)
        return fmt::format("worker-{}", ::getpid());
    return fmt::format("{}-{}", name.data(), ::getpid());
}

} // namespace

boost::asio::awaitable<Outcome> worker_run(ContextPtr context, WorkerRun request)
{
    std::signal(SIGPIPE, SIG_IGN); // a command that closes its input is not our end
    if (request.id.empty())
        request.id = own_id();
    const auto agent = std::make_shared<Agent>(std::move(context), std::move(request));
    auto outcome = co_await agent->run();
    co_return outcome;
}

} // namespace coordination::ctl
