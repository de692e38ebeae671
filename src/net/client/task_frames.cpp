#include "net/client/task_frames.hpp"

#include "net/client/requests.hpp"

namespace coordination::net_client {

namespace json = boost::json;

std::string ending_body(const std::string& task_id, const TaskEnding& ending)
{
    json::object frame{{"type", "task_update"}, {"taskId", task_id}};
    frame["status"] = ending ? "completed" : "failed";
    frame[ending ? "result" : "error"] = ending ? *ending : ending.error();
    return body_of(frame);
}

std::string stopped_body(const std::string& task_id)
{
    return body_of({{"type", "task_update"}, {"taskId", task_id}, {"status", "cancelled"}});
}

json::object error_object(std::string_view message, std::string_view code)
{
    return {{"message", message}, {"code", code}};
}

} // namespace coordination::net_client
