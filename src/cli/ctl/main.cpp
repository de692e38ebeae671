#include <cstdio>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <fmt/format.h>

#include "cli/ctl/command_line.hpp"

namespace {

using namespace coordination::ctl;

int complain(const Failure& failure)
{
    fmt::print(stderr, "coordctl: {}\n", failure.message);
    return failure.status;
}

Outcome perform(Invocation invocation)
{
    boost::asio::io_context io{1};
    const auto context = std::make_shared<Context>(io.get_executor(), std::move(invocation.settings));
    Outcome outcome;
    boost::asio::co_spawn(io, invocation.command(context), [&](const std::exception_ptr& bug, Outcome ended) {
        if (bug)
            std::rethrow_exception(bug);
        outcome = std::move(ended);
    });
    io.run();
    if (!outcome && context->settings.json && !outcome.error().body.empty())
        context->out.json(outcome.error().body);
    if (outcome && !context->out.flush())
        return tl::unexpected(Failure{.message = "cannot write to standard output"});
    return outcome;
}

} // namespace

int main(int argc, char** argv)
{
    const std::vector<std::string> arguments(argv + 1, argv + argc);
    auto invocation = read_command_line(arguments);
    if (!invocation)
        return complain(invocation.error());
    if (const auto* answer = std::get_if<Answer>(&*invocation)) {
        fmt::print("{}", answer->text);
        return exit_ok;
    }
    const auto outcome = perform(std::move(std::get<Invocation>(*invocation)));
    return outcome ? exit_ok : complain(outcome.error());
}
