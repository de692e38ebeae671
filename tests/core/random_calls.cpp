#include "core/random_calls.hpp"

#include "core/json/records.hpp"
#include "core/json/write.hpp"
#include "core/store/topics.hpp"
#include "core/store/transaction.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <map>
#include <set>
#include <sstream>

namespace coordination::testing {
namespace {

constexpr std::array<const char*, 4> capability_names{"development", "security", "na\xC3\xAFve",
                                                      "a \"quoted\" one"};

Limits tight_limits()
{
    Limits limits;
    limits.tasks_per_worker_max = 3;
    limits.crash_limit = 2;
    limits.heartbeat_timeout = std::chrono::seconds(2);
    limits.bus.dead_letters_max = 5;
    limits.bus.dedup_count = 10;
    limits.bus.dedup_window = std::chrono::seconds(10);
    return limits;
}

std::string json_array(const std::vector<std::string>& names)
{
    std::string out = "[";
    for (const auto& name : names) {
        out += out.size() > 1 ? ", " : "";
        json::append_string(out, name);
    }
    return out += "]";
}

void dump_capabilities(std::ostream& out, const Capabilities& capabilities)
{
    for (const auto& name : capabilities->names())
        out << ' ' << name.size() << ':' << name;
}

void dump_worker(std::ostream& out, Worker worker)
{
    worker.online = false;
    worker.last_seen = {};
    worker.last_heartbeat = {};
    std::string row;
    json::append_worker(row, worker);
    out << row << ' ' << worker.ordinal << ' ' << worker.idle_since << ' ' << worker.draining << ' '
        << worker.topics << ' ' << worker.wants_values << ' ' << worker.coalesces << ' '
        << worker.watch_budget;
    for (const auto& topic : worker.message_topics ? *worker.message_topics : MessageTopics{})
        out << " on " << topic;
    dump_capabilities(out, worker.capabilities);
    out << '\n';
}

void dump_task(std::ostream& out, const Task& task)
{
    std::string row;
    json::append_task(row, task);
    out << row << ' ' << task.ordinal << ' ' << name_of(task.priority) << ' ' << task.crash_limit << ' '
        << to_millis(task.ended_at);
    dump_capabilities(out, task.required);
    out << '\n';
}

} // namespace

std::uint64_t seed_of_run()
{
    if (const char* given =
            std::getenv("COORD_SEED")) // NOLINT(concurrency-mt-unsafe): the tests have one thread
        return std::strtoull(given, nullptr, 10);
    return std::random_device{}();
}

RandomCalls::RandomCalls(std::uint64_t seed) : fleet(tight_limits()), random_(seed) {}

std::string RandomCalls::some_worker()
{
    constexpr std::array<const char*, 7> names{"w1", "w2", "w3", "w4", "w\"5\"", "w\\6\n", "\xE2\x82\xAC"};
    return names[below(names.size())];
}

std::string RandomCalls::some_task()
{
    const auto recent = std::min<std::uint64_t>(last_task_, 12);
    if (recent == 0 || below(3) == 0)
        return "t" + std::to_string(++last_task_) + (below(4) == 0 ? "\t\"odd\"" : "");
    const auto& rows = store().tasks().rows();
    if (rows.empty())
        return "t1";
    auto row = rows.rbegin();
    std::advance(row, static_cast<std::ptrdiff_t>(below(std::min<std::uint64_t>(rows.size(), 12))));
    return std::string(row->second.id.view());
}

std::vector<std::string> RandomCalls::some_capabilities()
{
    std::vector<std::string> names;
    for (const auto* name : capability_names)
        if (below(3) == 0)
            names.emplace_back(name);
    return names;
}

TaskData RandomCalls::some_data()
{
    constexpr std::array<const char*, 4> payloads{
        "", R"("title":"plain")", R"("title" : "a \"quoted\" \u0041 } ] one", "_":{"mine":[1, 2]},"n":1e3)",
        R"("context":{"dependencies":["a",{"b":null}]},"x":"\n","status_":"no")"};
    return {text(payloads[below(payloads.size())]), some_capabilities(), static_cast<Priority>(below(4))};
}

Caller RandomCalls::some_caller(const Task* task)
{
    if (below(3) == 0)
        return {};
    const Worker* worker =
        store().workers().find(task && below(4) != 0 ? task->assigned_to.view() : some_worker());
    return worker && worker->session != 0 ? Caller{worker->session, worker->id} : Caller{};
}

LeaseClaim RandomCalls::some_claim(const Task* task)
{
    LeaseClaim claim;
    if (task && below(3) == 0)
        claim.attempt = task->attempt + (below(4) == 0 ? 1 : 0);
    if (task && below(5) == 0)
        claim.fence = task->fence;
    if (task && below(5) == 0)
        claim.worker = task->assigned_to;
    return claim;
}

void RandomCalls::register_worker()
{
    RegisterWorker command{.id = WorkerId(std::string_view(some_worker())),
                           .capabilities = some_capabilities()};
    command.capabilities_json = text(json_array(command.capabilities));
    command.metadata = below(2) == 0 ? text(R"({"host":"a{b","n":[1,2]})") : Text{};
    if (below(3) == 0)
        command.subscription =
            Subscription{text(R"(["tasks:set", "*:delete"])"),
                         *compile_topic("tasks:set") | *compile_topic("*:delete"), below(2) == 0};
    const Caller caller{.session = below(3) == 0 ? 0 : ++last_session_};
    static_cast<void>(fleet.call(command, caller));
}

void RandomCalls::assign()
{
    AssignTask command{.id = TaskId(std::string_view(some_task()))};
    if (below(2) == 0)
        command.worker = WorkerId(std::string_view(some_worker()));
    if (below(4) != 0)
        command.data = some_data();
    static_cast<void>(fleet.call(command));
}

void RandomCalls::report()
{
    const auto id = some_task();
    const Task* task = store().tasks().find(id);
    const auto caller = some_caller(task);
    const auto claim = some_claim(task);
    if (below(2) == 0) {
        static_cast<void>(fleet.call(UpdateTask{TaskId(std::string_view(id)), claim, text("12.5")}, caller));
        return;
    }
    const bool completed = below(2) == 0;
    constexpr std::array<const char*, 4> outcomes{"", "null", R"({"message":"so, \"it\" {goes"})", "[1, 2]"};
    static_cast<void>(fleet.call(
        FinishTask{TaskId(std::string_view(id)), claim, completed, text(outcomes[below(outcomes.size())])},
        caller));
}

/// Writes of every kind that are taken back.
void RandomCalls::abandon_transaction()
{
    Transaction tx(store(), fleet.now);
    for (const auto& [ordinal, row] : std::map(store().tasks().rows())) {
        if (below(3) != 0)
            continue;
        Task task = row;
        task.payload = text(R"("never":true)");
        if (!is_held(task.status))
            task.status = task.status == TaskStatus::pending ? TaskStatus::completed : TaskStatus::pending;
        tx.put(task, Operation::update);
        if (!is_held(task.status) && below(2) == 0)
            tx.erase<Task>(task.id.view());
    }
    for (const auto& [ordinal, row] : std::map(store().workers().rows())) {
        Worker worker = row;
        worker.online = !worker.online;
        worker.capabilities = store().capabilities().intern(some_capabilities());
        tx.put(worker, Operation::update);
        worker.message_topics = std::make_shared<const MessageTopics>(MessageTopics{"never"});
        tx.put(worker, Operation::update);
        if (worker.active_tasks == 0)
            tx.erase<Worker>(worker.id.view());
    }
    for (const auto& [ordinal, row] : std::map(store().messages().rows())) {
        BusMessage message = row;
        message.state = message.state == MessageState::dead ? MessageState::done : MessageState::dead;
        tx.put(message, Operation::update);
        if (below(2) == 0)
            tx.erase<BusMessage>(message.id.view());
    }
}

void RandomCalls::step()
{
    fleet.effects.clear();
    fleet.advance(std::chrono::milliseconds(below(120)));
    switch (below(20)) {
    case 0:
    case 1:
        return register_worker();
    case 2:
        static_cast<void>(fleet.call(Heartbeat{WorkerId(std::string_view(some_worker()))}));
        return;
    case 3:
        if (below(3) == 0)
            static_cast<void>(fleet.call(UnregisterWorker{WorkerId(std::string_view(some_worker()))}));
        return;
    case 4:
        if (const Worker* worker = store().workers().find(some_worker()))
            static_cast<void>(fleet.call(CloseSession{worker->id, worker->session}));
        return;
    case 5:
        static_cast<void>(
            fleet.call(Subscribe{WorkerId(std::string_view(some_worker())),
                                 Subscription{text(R"(["*"])"), *compile_topic("*"), below(2) == 0}}));
        return;
    case 6:
        return abandon_transaction();
    case 7:
    case 8:
    case 9:
    case 10:
        return assign();
    case 16:
        return subscribe_messages();
    case 17:
    case 18:
        return publish();
    case 19:
        return settle_message();
    default:
        return report();
    }
}

std::string dump(const StateStore& store)
{
    std::ostringstream out;
    out << "revision " << store.revision() << " totals " << store.totals().processed << ' '
        << store.totals().failed << '\n';
    for (const auto& [ordinal, worker] : store.workers().rows())
        dump_worker(out, worker);
    for (const auto& [ordinal, task] : store.tasks().rows())
        dump_task(out, task);
    for (const auto& [ordinal, message] : store.messages().rows())
        dump_message(out, message);
    for (const auto& [ordinal, lease] : store.assignments().rows()) {
        std::string row;
        json::append_assignment(row, lease);
        out << row << '\n';
    }
    return out.str();
}

std::string recount(const StateStore& store, const Limits& limits)
{
    std::map<std::string_view, std::uint32_t> held_by;
    std::array<std::size_t, task_status_count> by_status{};
    std::size_t held = 0;
    for (const auto& [ordinal, task] : store.tasks().rows()) {
        ++by_status[static_cast<std::size_t>(task.status)];
        const Assignment* lease = store.assignments().find(task.id.view());
        if (is_held(task.status) != (lease != nullptr))
            return "a task's status and its assignment disagree";
        if (!lease)
            continue;
        if (lease->worker != task.assigned_to || lease->attempt != task.attempt ||
            lease->ordinal != task.fence)
            return "a task and its assignment disagree";
        ++held;
        ++held_by[task.assigned_to.view()];
        if (std::ranges::count(store.tasks_of(task.assigned_to.view()), task.id) != 1)
            return "workerTasks lacks a task, or has it twice";
    }
    if (held != store.assignments().size())
        return "an assignment without a task";
    std::size_t online = 0;
    std::size_t available = 0;
    for (const auto& [ordinal, worker] : store.workers().rows()) {
        online += worker.online ? 1 : 0;
        available +=
            worker.online && !worker.draining && worker.active_tasks < limits.tasks_per_worker_max ? 1 : 0;
        if (worker.active_tasks != held_by[worker.id.view()] ||
            worker.active_tasks != store.tasks_of(worker.id.view()).size())
            return "a worker's load is not the number of tasks it holds";
    }
    for (int status = 0; status < task_status_count; ++status)
        if (store.count(static_cast<TaskStatus>(status)) != by_status[static_cast<std::size_t>(status)])
            return "a count by status is wrong";
    if (online != store.online_workers())
        return "the count of online workers is wrong";
    const auto ready =
        std::ranges::count_if(store.tasks().rows(), [](const auto& row) { return row.second.ready(); });
    if (store.schedule().waiting() != static_cast<std::size_t>(ready))
        return "the schedule's count of waiting tasks is wrong";
    if (store.schedule().available() != available)
        return "the schedule's count of workers with room is wrong";
    return recount_messages(store);
}

} // namespace coordination::testing
