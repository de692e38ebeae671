#include "cli/ctl/life_nouns.hpp"

#include <memory>
#include <optional>
#include <utility>

#include <CLI/CLI.hpp>

#include "cli/ctl/arguments.hpp"
#include "cli/ctl/life_commands.hpp"

namespace coordination::ctl {

namespace {

namespace json = boost::json;

json::array array_of(const std::string& list)
{
    json::array array;
    for (const auto& item : parse_list(list))
        array.emplace_back(item);
    return array;
}

json::object object_or_complain(const std::string& text, const char* option)
{
    if (text.empty())
        return {};
    auto object = read_object_argument(text);
    if (!object)
        throw CLI::ValidationError(option, object.error());
    return std::move(*object);
}

struct Submission {
    std::string id;
    std::string capabilities;
    std::string priority;
    std::string data;
    std::string depends_on;
    std::string policy;
    std::optional<std::uint64_t> delay;
    std::optional<std::uint64_t> timeout;
    std::optional<std::uint64_t> failures;
};

json::object submission_body(const Submission& told)
{
    auto body = object_or_complain(told.policy, "--policy");
    body["taskId"] = told.id;
    if (!told.data.empty())
        body["taskData"] = object_or_complain(told.data, "--data");
    if (!told.capabilities.empty())
        body["capabilities"] = array_of(told.capabilities);
    if (!told.priority.empty())
        body["priority"] = told.priority;
    if (!told.depends_on.empty())
        body["dependsOn"] = array_of(told.depends_on);
    if (told.delay)
        body["delayMs"] = *told.delay;
    if (told.timeout)
        body["timeoutMs"] = *told.timeout;
    if (told.failures)
        body["retry"] = json::object{{"maxFailures", *told.failures}};
    return body;
}

void add_submit(CLI::App& task, Command& chosen)
{
    const auto told = std::make_shared<Submission>();
    auto* submit = task.add_subcommand("submit", "Hand in a task to be done when a worker has room");
    submit->add_option("ID", told->id)->required();
    submit->add_option("--capabilities", told->capabilities, "What the task asks for: a,b");
    submit->add_option("--priority", told->priority, "critical, high, normal or low");
    submit->add_option("--data", told->data,
                       "The task's own fields: a JSON object, @FILE, or @- for standard input");
    submit->add_option("--depends-on", told->depends_on, "Tasks that must complete first: a,b");
    submit->add_option("--delay", told->delay, "Not before so many milliseconds have passed");
    submit->add_option("--timeout", told->timeout, "Milliseconds that one attempt may take");
    submit->add_option("--max-failures", told->failures,
                       "Failures at which it is given up (default: the first)");
    submit->add_option("--policy", told->policy,
                       "Any other field of the call (retry, runAt, expiresAt, uniqueKey, ...), as --data");
    submit->callback([told, &chosen] {
        chosen = [body = submission_body(*told)](ContextPtr context) {
            return life_call(std::move(context), {"/api/tasks/submit", body, "task {} submitted"});
        };
    });
}

/// A command that takes an id and sends it.
void add_simple(CLI::App& noun, Command& chosen, const char* name, const char* help, std::string target,
                std::string done)
{
    const auto id = std::make_shared<std::string>();
    auto* command = noun.add_subcommand(name, help);
    command->add_option("ID", *id)->required();
    command->callback([id, target = std::move(target), done = std::move(done), &chosen] {
        chosen = [call = LifeCall{target, {{"taskId", *id}}, done}](ContextPtr context) {
            return life_call(std::move(context), call);
        };
    });
}

void add_cancel(CLI::App& task, Command& chosen)
{
    struct Told {
        std::string id;
        std::string reason;
        std::optional<std::uint64_t> grace;
    };
    const auto told = std::make_shared<Told>();
    auto* cancel = task.add_subcommand("cancel", "Let a task not be done, or its worker stop");
    cancel->add_option("ID", told->id)->required();
    cancel->add_option("--grace", told->grace, "Milliseconds for the worker to stop");
    cancel->add_option("--reason", told->reason, "Why, in words");
    cancel->callback([told, &chosen] {
        json::object body{{"taskId", told->id}};
        if (told->grace)
            body["graceMs"] = *told->grace;
        if (!told->reason.empty())
            body["reason"] = told->reason;
        chosen = [body](ContextPtr context) {
            return life_call(std::move(context), {"/api/tasks/cancel", body, "task {} is to be cancelled"});
        };
    });
}

void add_bulk(CLI::App& task, Command& chosen, const char* name, const char* help, std::string target,
              std::string done)
{
    struct Told {
        std::string status;
        std::string capability;
        std::string code;
        bool dry_run = false;
    };
    const auto told = std::make_shared<Told>();
    auto* command = task.add_subcommand(name, help);
    command->add_option("--status", told->status, "Only those that ended so");
    command->add_option("--capability", told->capability, "Only those that ask for this capability");
    command->add_option("--code", told->code, "Only those whose error has this code");
    command->add_flag("--dry-run", told->dry_run, "Only say which");
    command->callback([told, target = std::move(target), done = std::move(done), &chosen] {
        json::object body;
        for (const auto& [field, value] :
             {std::pair{"status", &told->status}, {"capability", &told->capability}, {"code", &told->code}})
            if (!value->empty())
                body[field] = *value;
        if (told->dry_run)
            body["dryRun"] = true;
        const auto line = told->dry_run ? "{} would be" : done;
        chosen = [call = BulkCall{target, body, line}](ContextPtr context) {
            return bulk_call(std::move(context), call);
        };
    });
}

template <auto look>
void add_look(CLI::App& task, Command& chosen, const char* name, const char* help)
{
    const auto id = std::make_shared<std::string>();
    auto* command = task.add_subcommand(name, help);
    command->add_option("ID", *id)->required();
    command->callback(
        [id, &chosen] { chosen = [id = *id](ContextPtr context) { return look(std::move(context), id); }; });
}

} // namespace

void add_task_life(CLI::App& task, Command& chosen)
{
    add_submit(task, chosen);
    add_cancel(task, chosen);
    add_simple(task, chosen, "retry", "Bring back one that failed or was cancelled", "/api/tasks/retry",
               "task {} waits again");
    add_simple(task, chosen, "delete", "Forget one that has ended", "/api/tasks/delete", "task {} deleted");
    add_bulk(task, chosen, "redrive", "Bring back all failed ones, or those chosen", "/api/tasks/redrive",
             "{} wait again");
    add_bulk(task, chosen, "purge", "Forget all that have ended, or those chosen", "/api/tasks/purge",
             "{} deleted");
    add_look<task_explain>(task, chosen, "explain", "Say why a task waits");
    add_look<task_events>(task, chosen, "events", "Show what a task was through");
}

void add_worker_life(CLI::App& worker, Command& chosen)
{
    struct Told {
        std::string id;
        std::optional<std::uint64_t> deadline;
        bool undo = false;
    };
    const auto told = std::make_shared<Told>();
    auto* drain = worker.add_subcommand("drain", "Give a worker nothing more");
    drain->add_option("ID", told->id)->required();
    drain->add_option("--deadline", told->deadline, "Milliseconds after which its tasks go to others");
    drain->add_flag("--undo", told->undo, "Let it take work again");
    drain->callback([told, &chosen] {
        json::object body{{"workerId", told->id}, {"drain", !told->undo}};
        if (told->deadline)
            body["deadlineMs"] = *told->deadline;
        const std::string done = told->undo ? "worker {} takes work again" : "worker {} drains";
        chosen = [call = LifeCall{"/api/workers/drain", body, done}](ContextPtr context) {
            return life_call(std::move(context), call);
        };
    });
}

} // namespace coordination::ctl
