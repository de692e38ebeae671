#pragma once

#include "core/text.hpp"
#include "core/types.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace coordination {

/// Where messages go that could not be delivered. Only who names it gets them: no wildcard stands for it.
inline constexpr std::string_view dead_letter_topic = "dead-letter";

/// Of a dead letter: its receiver held as much of the queue as one may.
inline constexpr std::string_view queue_full_reason = "QUEUE_FULL";

/// Of one topic that is subscribed to: each part takes memory of its own.
inline constexpr std::size_t topic_parts_max = 32;

/// Of one subscriber. More would make a row that is written at each of the worker's changes too large.
inline constexpr std::size_t message_topics_max = 256;

enum class MessageState : std::uint8_t {
    live, ///< somebody has still to get it
    done, ///< nobody has, but its id is remembered, so that a repeated publication is known as one
    dead, ///< a dead letter: kept until a subscriber of that topic acknowledges it
};
std::string_view name_of(MessageState) noexcept;

/// A message of the bus. One that must not be lost is a row of the collection `messages`, whose changes have
/// revisions and are journaled as any. They are not broadcast: so who watches `*` sees those revisions
/// missing.
struct BusMessage {
    MessageId id{};
    Text topic{};   ///< of a dead letter: where it was meant to go; empty: to one recipient alone
    Text payload{}; ///< JSON as it was written, on one line
    Text sender{};  ///< the worker that published it; empty: it was none
    Priority priority = Priority::normal;
    Guarantee guarantee = Guarantee::at_least_once;
    MessageState state = MessageState::live;
    bool priority_as_number = false; ///< as it was written
    bool direct = false;             ///< to one recipient, whoever subscribes to its topic. Not persisted.
    bool named = false;              ///< its publisher chose the id
    std::uint32_t max_retries = 3;
    std::uint32_t pending = 0; ///< receivers that have still to get it
    Revision ordinal = 0;      ///< the revision that created it; 0: it is no row
    Timestamp published_at{};
    Timestamp expires_at{};
    Timestamp done_at{};
    std::shared_ptr<const std::vector<WorkerId>>
        receivers{};                      ///< sorted; of a dead letter: who did not get it
    std::vector<std::uint64_t> settled{}; ///< a bit for each that needs nothing more
    WorkerId last_settled{};              ///< the one that the latest change was about
    Text reason{};                        ///< of a dead letter: a code
    MessageId original{};                 ///< likewise: the id it had
};

/// The workers among `receivers` become those that have to get it.
void bind(BusMessage& message, std::vector<WorkerId> receivers);
bool is_pending(const BusMessage& message, const WorkerId& receiver) noexcept;
/// This one needs nothing more. It is pending.
void settle(BusMessage& message, const WorkerId& receiver);
std::vector<WorkerId> pending_receivers(const BusMessage& message);

/// What keeping a message costs, to the nearest hundred bytes; not what each that has still to get it does.
std::size_t bytes_of(const BusMessage& message) noexcept;

} // namespace coordination
