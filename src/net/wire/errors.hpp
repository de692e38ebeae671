#pragma once

#include "core/error.hpp"

#include <string>
#include <string_view>

namespace coordination::wire {

/// How a refusal is told: the code that programs may rely on, and the status that HTTP gives it.
struct ErrorForm {
    std::string_view code;
    unsigned status;
};

/// The one place that knows both.
ErrorForm form_of(ErrorCode code) noexcept;

/// `{"success":false,"error":…,"code":…}`
std::string failure(const Error& error);
std::string failure(std::string_view code, std::string_view message);

/// What a message was about, as far as it told. Empty: it did not.
struct Subject {
    std::string task;
    std::string worker;
};

/// `{"type":"error","message":…,"code":…}`: what answers a WebSocket message that carried no `requestId`.
std::string error_message(const Error& error, const Subject& subject);

/// `{"type":"response","requestId":…,"success":false,…}`; `request_id` is JSON.
std::string failed_response(std::string_view request_id, const Error& error);

} // namespace coordination::wire
