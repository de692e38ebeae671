#pragma once

#include "core/commands/commands.hpp"
#include "net/wire/fields.hpp"

#include <cstdint>
#include <string>

/// The calls of the message bus, and how a message goes out.
namespace coordination::wire {

Read<PublishMessage> publish_message(const Fields& fields, const Bounds& bounds);
Read<AckMessage> ack_message(const Fields& fields, const Bounds& bounds);
Read<SubscribeMessages> subscribe_messages(const Fields& fields, const Bounds& bounds);
Read<UnsubscribeMessages> unsubscribe_messages(const Fields& fields, const Bounds& bounds);

/// `{"type":"message",…}`, for the try of this ordinal.
std::string message_frame(const BusMessage& message, std::uint32_t attempt);

} // namespace coordination::wire
