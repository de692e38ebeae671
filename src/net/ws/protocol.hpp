#pragma once

#include "net/coordinator.hpp"
#include "net/wire/errors.hpp"
#include "net/wire/fields.hpp"
#include "net/wire/replies.hpp"

#include <cstdint>
#include <string>
#include <string_view>

/// The WebSocket protocol as a function of a message: what it asks, and how it is answered.
/// Knows of no socket.
namespace coordination::ws {

enum class MessageKind : std::uint8_t {
    registration,
    heartbeat,
    task_update,
    subscribe,
    assign,
    finish, ///< anything else that changes one task
    submit,
    submit_batch,
    select,
    claim,
    forget,
    worker_change,
    explain,
    events,
    publish,
    message_change, ///< anything else about messages
    get_task,
    get_worker,
};

/// How a message wants its answer.
struct ReplyForm {
    MessageKind kind{};
    std::string request_id; ///< JSON, as it was written; empty: none
    wire::Subject subject;
};

/// A message that can be carried out.
struct Message {
    Action action;
    ReplyForm form;
};

/// Why a message cannot be carried out, and what answers it.
struct Refusal {
    ErrorCode code;
    std::string text;
};

/// Reads one message. `own_worker` is the worker that speaks over this connection, if any.
tl::expected<Message, Refusal> read_message(std::string_view text, const wire::Bounds& bounds,
                                            std::string_view own_worker);

/// The answer to a message that was carried out or refused. Empty: none is due.
std::string write_reply(const ReplyForm& form, const wire::Rhythm& rhythm, const Result& result,
                        const StateStore& state, const ReplyContext& context);

} // namespace coordination::ws
