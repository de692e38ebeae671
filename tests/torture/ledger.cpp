#include "torture/ledger.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace coordination::torture {

void Ledger::acknowledge(const Json& reply, const std::string& token, bool ends_task)
{
    const auto& object = reply.as_object();
    if (object.contains("duplicate")) {
        refused.insert(token); // what ended the task was another call
        return;
    }
    Ack ack{.at = std::chrono::steady_clock::now(),
            .revision = number_or_zero(reply, "revision"),
            .durable = text_or_none(reply, "durable"),
            .task = {},
            .token = token,
            .ended_task = ends_task};
    if (const auto* task = object.if_contains("task"))
        ack.task = *task;
    if (ack.revision == 0)
        violations.push_back("an acknowledgement names no revision: " + boost::json::serialize(reply));
    reached = std::max(reached, ack.revision);
    acks.push_back(std::move(ack));
}

void Ledger::merge(Ledger&& other)
{
    std::ranges::move(other.acks, std::back_inserter(acks));
    std::ranges::move(other.violations, std::back_inserter(violations));
    refused.merge(other.refused);
    workers.merge(other.workers);
    reached = std::max(reached, other.reached);
    in_snapshot = std::max(in_snapshot, other.in_snapshot);
    storage_failures += other.storage_failures;
}

} // namespace coordination::torture
