#include "cli/ctl/cortex/import_command.hpp"

#include <memory>
#include <utility>

#include <fmt/format.h>

#include "cli/ctl/arguments.hpp"
#include "cli/ctl/cortex/import_run.hpp"
#include "cli/ctl/json_text.hpp"

namespace coordination::ctl {

namespace {

/// What a script must not take for success, though every call went through.
Outcome verdict(const ImportSummary& summary)
{
    const auto untaken = summary.blocked.size() + summary.refused.size();
    if (summary.waiting > 0)
        return tl::unexpected(Failure{
            .message =
                fmt::format("interrupted: {} task(s) are not handed out; run the import again to go on",
                            summary.waiting)});
    if (untaken > 0)
        return tl::unexpected(Failure{.message = fmt::format("{} task(s) failed and {} could not be imported",
                                                             summary.failed, untaken)});
    if (summary.failed > 0)
        return tl::unexpected(
            Failure{.message = fmt::format("{} task(s) failed; see coordctl task ls --status failed",
                                           summary.failed)});
    return {};
}

} // namespace

boost::asio::awaitable<Outcome> import_queue(ContextPtr context, Import request)
{
    const auto text = read_file(request.path);
    if (!text)
        co_return tl::unexpected(wrong_usage(text.error()));
    auto queue = parse_cortex_queue(*text);
    if (!queue)
        co_return tl::unexpected(wrong_usage(fmt::format("{}: {}", request.path, queue.error())));
    auto plan = plan_import(*queue, request.include_assigned);
    if (!plan)
        co_return tl::unexpected(wrong_usage(fmt::format("{}: {}", request.path, plan.error())));

    const auto import =
        std::make_shared<ImportRun>(context, std::move(request), std::move(*queue), std::move(*plan));
    const auto outcome = co_await import->run();
    if (!outcome)
        co_return outcome;
    if (context->settings.json)
        context->out.json(compact_json(summary_json(import->summary())));
    else
        context->out.write(summary_text(import->summary()));
    co_return verdict(import->summary());
}

} // namespace coordination::ctl
