#include "cli/ctl/nouns.hpp"

#include <charconv>
#include <chrono>
#include <memory>
#include <utility>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "cli/ctl/arguments.hpp"
#include "cli/ctl/cortex/export_command.hpp"
#include "cli/ctl/cortex/import_command.hpp"
#include "cli/ctl/life_nouns.hpp"
#include "cli/ctl/message_commands.hpp"
#include "cli/ctl/state_commands.hpp"
#include "cli/ctl/state_files.hpp"
#include "cli/ctl/task_commands.hpp"
#include "cli/ctl/top.hpp"
#include "cli/ctl/watch.hpp"
#include "cli/ctl/worker_commands.hpp"
#include "cli/ctl/worker_run/worker_run.hpp"

namespace coordination::ctl {

namespace {

namespace json = boost::json;

/// CLI11 reports it as it reports its own complaints.
template <typename T>
T or_complain(tl::expected<T, std::string> value, const char* option)
{
    if (!value)
        throw CLI::ValidationError(option, value.error());
    return std::move(*value);
}

/// With a complaint that is shorter than CLI11's, which tells the bounds of the type.
CLI::Validator whole_number(std::uint64_t smallest)
{
    return CLI::Validator(
        [smallest](std::string& text) {
            std::uint64_t number = 0;
            const auto* end = text.data() + text.size();
            const auto [stopped, failed] = std::from_chars(text.data(), end, number);
            const bool ok = failed == std::errc{} && stopped == end && number >= smallest;
            return ok ? std::string() : fmt::format("\"{}\" is no whole number from {} up", text, smallest);
        },
        "N");
}

CLI::Validator seconds(double shortest, double longest)
{
    return CLI::Validator(
        [=](std::string& text) {
            double number = 0;
            const auto* end = text.data() + text.size();
            const auto [stopped, failed] = std::from_chars(text.data(), end, number);
            const bool ok =
                failed == std::errc{} && stopped == end && number >= shortest && number <= longest;
            return ok ? std::string()
                      : fmt::format("\"{}\" is no number of seconds from {} to {}", text, shortest, longest);
        },
        "N");
}

std::chrono::milliseconds milliseconds(double seconds)
{
    return std::chrono::milliseconds{static_cast<std::int64_t>(seconds * 1000)};
}

void add_worker_run(CLI::App& worker, Command& chosen)
{
    struct Texts {
        std::string capabilities;
        double grace_seconds = 5;
        WorkerRun request;
    };
    const auto texts = std::make_shared<Texts>();
    auto* run = worker.add_subcommand("run", "Be a worker that runs COMMAND for each task");
    run->add_option("--capabilities", texts->capabilities, "What this worker can do: a,b")->required();
    run->add_option("--id", texts->request.id, "The worker's id (default: HOSTNAME-PID)");
    run->add_option(
           "--max-tasks", texts->request.tasks_max,
           "Run at most N at once; more wait here until there is room (default: as the daemon assigns)")
        ->check(whole_number(1));
    run->add_option("--grace", texts->grace_seconds, "Kill a command that is asked to end after N seconds")
        ->check(seconds(0, 3600))
        ->capture_default_str();
    run->add_option("COMMAND", texts->request.command, "What to run, after --")->required();
    run->footer(
        "COMMAND is started without a shell, once per task, with the task's JSON on its standard input and\n"
        "COORDINATION_TASK_ID, COORDINATION_WORKER_ID and COORDINATION_ATTEMPT in its environment.\n"
        "A line \"progress N\" (0 to 100) on its standard output reports progress; other lines are shown\n"
        "here, and the last 64 KiB become the result. Exit status 0 completes the task; another status, or\n"
        "a signal, fails it with the end of its standard error.\n"
        "When the daemon goes away, running commands go on, and what ended is reported when it is back.\n"
        "Ctrl-C or SIGTERM: running tasks are finished, then the worker leaves. A second one: they are\n"
        "ended (SIGTERM, after --grace SIGKILL) and given back to the daemon for another worker.");
    run->callback([texts, &chosen] {
        auto request = texts->request;
        request.capabilities = parse_list(texts->capabilities);
        if (request.capabilities.empty())
            throw CLI::ValidationError("--capabilities", "name at least one");
        request.grace = milliseconds(texts->grace_seconds);
        request.program = or_complain(find_program(request.command.front()), "COMMAND");
        chosen = [request](ContextPtr context) { return worker_run(std::move(context), request); };
    });
}

void add_worker(CLI::App& app, Command& chosen)
{
    auto* worker = app.add_subcommand("worker", "The workers that are registered, or being one");
    worker->require_subcommand(1);
    worker->add_subcommand("ls", "List them")->callback([&chosen] { chosen = worker_ls; });

    const auto id = std::make_shared<std::string>();
    auto* info = worker->add_subcommand("info", "Show one in detail");
    info->add_option("ID", *id)->required();
    info->callback([id, &chosen] {
        chosen = [id = *id](ContextPtr context) { return worker_info(std::move(context), id); };
    });
    add_worker_life(*worker, chosen);
    add_worker_run(*worker, chosen);
}

void add_task_assign(CLI::App& task, Command& chosen)
{
    struct Texts {
        std::string capabilities;
        std::string data;
        TaskAssign request;
    };
    const auto texts = std::make_shared<Texts>();
    auto* assign = task.add_subcommand("assign", "Give a task to a worker now");
    assign->add_option("ID", texts->request.id)->required();
    assign->add_option("--worker", texts->request.worker,
                       "To this one (default: the least loaded that can do it)");
    assign->add_option("--capabilities", texts->capabilities, "What the task asks for: a,b");
    assign->add_option("--priority", texts->request.priority, "critical, high, normal or low");
    assign->add_option("--data", texts->data,
                       "The task's own fields: a JSON object, @FILE, or @- for standard input");
    assign->callback([texts, &chosen] {
        auto request = texts->request;
        request.capabilities = parse_list(texts->capabilities);
        if (!texts->data.empty())
            request.data = or_complain(read_object_argument(texts->data), "--data");
        chosen = [request](ContextPtr context) { return task_assign(std::move(context), request); };
    });
}

void add_task_ls(CLI::App& task, Command& chosen)
{
    const auto request = std::make_shared<TaskList>();
    auto* list = task.add_subcommand("ls", "List tasks");
    list->add_option("--status", request->status,
                     "Only those that are pending, assigned, in_progress, completed, failed or cancelled");
    list->add_option("--capability", request->capability, "Only those that ask for this capability");
    list->add_option("--limit", request->limit, "At most N")->check(whole_number(1));
    list->add_option("--cursor", request->cursor, "Go on where a list with --limit ended");
    list->callback([request, &chosen] {
        chosen = [request = *request](ContextPtr context) { return task_ls(std::move(context), request); };
    });
}

struct EndTexts {
    std::string outcome;
    std::string message;
    TaskEnd end;
};

void add_end_options(CLI::App& command, EndTexts& texts)
{
    command.add_option("ID", texts.end.id)->required();
    command.add_option("--worker", texts.end.worker, "Only while this worker holds it");
    command.add_option("--attempt", texts.end.attempt, "Only while this attempt is the live one");
}

void add_task_end(CLI::App& task, Command& chosen)
{
    const auto done = std::make_shared<EndTexts>();
    auto* complete = task.add_subcommand("complete", "Say that a task is done");
    add_end_options(*complete, *done);
    complete->add_option("--result", done->outcome, "JSON, @FILE, or @- for standard input");
    complete->callback([done, &chosen] {
        auto end = done->end;
        if (!done->outcome.empty())
            end.outcome = or_complain(read_json_argument(done->outcome), "--result");
        chosen = [end](ContextPtr context) { return task_complete(std::move(context), end); };
    });

    const auto broken = std::make_shared<EndTexts>();
    auto* fail = task.add_subcommand("fail", "Say that a task failed");
    add_end_options(*fail, *broken);
    auto* message = fail->add_option("--message", broken->message, "Why, in words");
    fail->add_option("--error", broken->outcome, "Why, as JSON, @FILE, or @- for standard input")
        ->excludes(message);
    fail->callback([broken, &chosen] {
        auto end = broken->end;
        if (!broken->message.empty())
            end.outcome = json::object{{"message", broken->message}};
        if (!broken->outcome.empty())
            end.outcome = or_complain(read_json_argument(broken->outcome), "--error");
        chosen = [end](ContextPtr context) { return task_fail(std::move(context), end); };
    });
}

void add_task(CLI::App& app, Command& chosen)
{
    auto* task = app.add_subcommand("task", "Tasks: hand out, look at, end");
    task->require_subcommand(1);
    add_task_ls(*task, chosen);
    const auto id = std::make_shared<std::string>();
    auto* info = task->add_subcommand("info", "Show one in detail");
    info->add_option("ID", *id)->required();
    info->callback([id, &chosen] {
        chosen = [id = *id](ContextPtr context) { return task_info(std::move(context), id); };
    });
    add_task_assign(*task, chosen);
    add_task_end(*task, chosen);
    add_task_life(*task, chosen);
}

void add_top(CLI::App& app, Command& chosen)
{
    const auto every = std::make_shared<double>(2);
    auto* top_command = app.add_subcommand("top", "Watch the whole daemon; q quits. Into a pipe: one look");
    top_command->add_option("--interval", *every, "Look again every N seconds")
        ->check(seconds(0.1, 3600))
        ->capture_default_str();
    top_command->callback([every, &chosen] {
        const auto interval = milliseconds(*every);
        chosen = [interval](ContextPtr context) { return top(std::move(context), interval); };
    });
}

void add_watch(CLI::App& app, Command& chosen)
{
    const auto request = std::make_shared<Watch>();
    auto* watch_command = app.add_subcommand("watch", "Print each change of the state as it happens");
    watch_command
        ->add_option("TOPIC", request->topics,
                     "collection:operation, * for either or all: tasks:update, workers:*, \"*\"")
        ->required();
    watch_command->add_option("--since", request->since, "Begin with what changed after revision R")
        ->check(whole_number(0));
    watch_command->add_flag("--values", request->values, "With what was written");
    watch_command->callback([request, &chosen] {
        chosen = [request = *request](ContextPtr context) { return watch(std::move(context), request); };
    });
}

/// Where the daemon's own defaults put it, but for a directory or names given.
StatePaths state_paths(const std::string& directory, const StatePaths& given)
{
    StatePaths paths{.snapshot = directory + "/state-snapshot.json", .log = directory + "/wal.log"};
    if (!given.snapshot.empty())
        paths.snapshot = given.snapshot;
    if (!given.log.empty())
        paths.log = given.log;
    return paths;
}

void add_state(CLI::App& app, Command& chosen)
{
    auto* online =
        app.add_subcommand("state", "How many of everything, at which revision; or, of a daemon that "
                                    "does not run, what it left on the disk");
    online->require_subcommand(0, 1);
    online->callback([online, &chosen] {
        if (online->get_subcommands().empty())
            chosen = state;
    });
    using Look = boost::asio::awaitable<Outcome> (*)(ContextPtr, StatePaths);
    const auto add = [online, &chosen](const char* name, const char* help, Look look) {
        struct Texts {
            std::string directory;
            StatePaths given;
        };
        const auto texts = std::make_shared<Texts>();
        auto* command = online->add_subcommand(name, help);
        command->add_option("DIR", texts->directory, "The directory of the state")->required();
        command->add_option("--snapshot-path", texts->given.snapshot,
                            "The snapshot (default: DIR/state-snapshot.json)");
        command->add_option("--wal-path", texts->given.log, "The log (default: DIR/wal.log)");
        command->callback([texts, look, &chosen] {
            chosen = [paths = state_paths(texts->directory, texts->given), look](ContextPtr context) {
                return look(std::move(context), paths);
            };
        });
        return command;
    };
    add("verify", "Look through snapshot and log: would a daemon start?", state_verify);
    add("dump", "Print every change in the log, a line of JSON each", state_dump);
    add("repair", "Cut the log off at its first damage, and keep what is before it", state_repair)
        ->footer(
            "What is cut off is copied aside first, under a name with .damaged. Stop the daemon before.");
}

void add_queue(CLI::App& app, Command& chosen)
{
    const auto request = std::make_shared<Import>();
    auto* import_command =
        app.add_subcommand("import", "Submit the pending tasks of a Cortex task-queue.json");
    import_command->add_option("FILE", request->path, "- reads standard input")->required();
    import_command->add_flag("--no-wait", request->no_wait,
                             "End when all are handed out, not when all have ended");
    import_command->add_flag("--include-assigned", request->include_assigned,
                             "Take those that the file calls assigned or in_progress as pending");
    import_command->footer(
        "Pending tasks are submitted all at once, with their priority, the tasks in their "
        "context.dependencies and\n"
        "their type as the capability that a worker must have; the daemon hands them out. Finished ones are "
        "imported as\n"
        "finished. Those that the file calls assigned or in_progress may be running elsewhere and are left "
        "alone.\n"
        "Tasks that the daemon has already are not handed out again, so an import can be repeated.\n"
        "Exit status 1 also when a task failed or could not be handed out.");
    import_command->callback([request, &chosen] {
        chosen = [request = *request](ContextPtr context) {
            return import_queue(std::move(context), request);
        };
    });

    const auto path = std::make_shared<std::string>();
    auto* export_command = app.add_subcommand("export", "Write all tasks as a Cortex task-queue.json");
    export_command->add_option("FILE", *path, "Standard output if left out");
    export_command->footer(
        "A FILE that is there already is brought up to date: its tasks keep their place and the order of\n"
        "their fields, and those that the daemon does not have stay as they are.");
    export_command->callback([path, &chosen] {
        chosen = [path = *path](ContextPtr context) { return export_queue(std::move(context), path); };
    });
}

} // namespace

void add_commands(CLI::App& app, Command& chosen)
{
    add_worker(app, chosen);
    add_task(app, chosen);
    add_message(app, chosen);
    add_state(app, chosen);
    app.add_subcommand("metrics", "The daemon's own figures")->callback([&chosen] { chosen = metrics; });
    add_top(app, chosen);
    add_watch(app, chosen);
    app.add_subcommand("snapshot", "Write the state to disk now")->callback([&chosen] { chosen = snapshot; });
    add_queue(app, chosen);
}

} // namespace coordination::ctl
