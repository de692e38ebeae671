#include "torture/clients.hpp"

#include "support/json.hpp"
#include "support/ws_peer.hpp"

#include <algorithm>
#include <chrono>
#include <deque>
#include <optional>
#include <stdexcept>
#include <utility>

namespace coordination::torture {

using testing::field;
using testing::HttpPeer;
using testing::integer;
using testing::text;
using testing::WsPeer;
using namespace std::chrono_literals;

Client::Client(Arena& arena, std::string name, std::uint64_t seed)
    : arena_(arena),
      name_(std::move(name)),
      random_(seed)
{
}

void Client::start()
{
    arena_.clients.arrive();
    thread_ = std::thread([this] {
        try {
            while (!arena_.clients.stopped())
                work();
        } catch (const std::exception& error) {
            if (!arena_.clients.stopped())
                lost_ = name_ + ": " + error.what();
        }
        arena_.clients.leave();
    });
}

Ledger Client::join()
{
    thread_.join();
    return std::move(ledger_);
}

std::string Client::next_token()
{
    return arena_.round + "-" + name_ + "-" + std::to_string(++tokens_);
}

namespace {

/// A task as its client knows it.
struct Held {
    std::string id;
    std::int64_t attempt;
    std::int64_t fence;
};

/// What HTTP and WebSocket clients have in common: calls, and what is kept of their answers.
class Caller : public Client {
public:
    using Client::Client;

protected:
    /// The answer to a call: over HTTP the body, over a WebSocket the response.
    virtual Json ask(const std::string& call, const std::string& fields) = 0;

    void work() override
    {
        if (!registered_)
            registered_ = enroll();
        else
            one_call();
        pause();
    }

    virtual void one_call() = 0;

    bool agreed(const Json& answer, const std::string& token)
    {
        if (field(answer, "success") == Json(true))
            return true;
        ledger_.refused.insert(token);
        if (text(answer, "code") == "STORAGE_FAILED") {
            ++ledger_.storage_failures;
            rest(10ms);
        }
        return false;
    }

    /// None where it was refused.
    std::optional<Json> ask_to_register()
    {
        const auto token = next_token();
        auto& fate = ledger_.workers[name_];
        fate.uncertain = true;
        const auto answer =
            ask("register", R"("workerId":")" + name_ + R"(","capabilities":["work"],"metadata":{"token":")" +
                                token + R"("})");
        fate.uncertain = false;
        if (!agreed(answer, token))
            return std::nullopt;
        fate = {.registered = true, .token = token, .uncertain = false};
        ledger_.acknowledge(answer, token, false);
        return answer;
    }

    virtual bool enroll() { return ask_to_register().has_value(); }

    void assign()
    {
        const auto token = next_token();
        const bool again = !held_.empty() && one_in(15); // of a task that is held or ended: to be refused
        const auto id = again ? any_held().id : "t-" + token;
        const auto worker = one_in(3) ? R"("workerId":")" + name_ + R"(",)" : std::string{};
        const auto answer = ask("assign", worker + R"("taskId":")" + id + R"(","taskData":{"token":")" +
                                              token + R"(","title":"torture","capabilities":["work"]})");
        if (!agreed(answer, token))
            return;
        ledger_.acknowledge(answer, token, false);
        hold(field(answer, "task"));
    }

    void hold(const Json& task)
    {
        held_.push_back({text(task, "id"), integer(task, "attempt"), integer(task, "fence")});
    }

    Held& any_held() { return held_[static_cast<std::size_t>(any(static_cast<int>(held_.size())))]; }

    /// Of a task: by its holder, by an attempt that is not the live one, twice, and twice in contradiction.
    void finish()
    {
        const auto held = any_held(); // a copy: while it waits for an answer, tasks may come
        const bool stale = one_in(10);
        end(held.id, held.attempt + (stale ? 1 : 0), held.fence, one_in(5));
        if (stale)
            return;
        if (one_in(8))
            end(held.id, held.attempt, held.fence, one_in(2));
        std::erase_if(held_, [&](const Held& other) { return other.id == held.id; });
    }

    void end(const std::string& id, std::int64_t attempt, std::int64_t fence, bool failing)
    {
        const auto token = next_token();
        const auto claim =
            one_in(2) ? R"(","attempt":)" + std::to_string(attempt)
                      : R"(","attempt":)" + std::to_string(attempt) + R"(,"fence":)" + std::to_string(fence);
        const auto outcome = failing ? R"(,"error":{"message":"no","token":")" : R"(,"result":{"token":")";
        const auto answer =
            ask(failing ? "fail" : "complete", R"("taskId":")" + id + claim + outcome + token + R"("})");
        if (agreed(answer, token))
            ledger_.acknowledge(answer, token, true);
    }

    std::vector<Held> held_;

private:
    bool registered_ = false;
};

class HttpClient final : public Caller {
public:
    HttpClient(Arena& arena, int number, std::uint64_t seed)
        : Caller(arena, "h" + std::to_string(number), seed),
          http_(arena.http_port)
    {
        for (const auto& [task, worker] : arena.before->assignments)
            if (worker == name_)
                hold(arena.before->tasks.at(task));
    }

private:
    Json ask(const std::string& call, const std::string& fields) override
    {
        const bool of_worker = call == "register" || call == "unregister";
        const auto reply =
            http_.post((of_worker ? "/api/workers/" : "/api/tasks/") + call, "{" + fields + "}");
        if ((reply.status == 200) != (reply["success"] == Json(true)))
            ledger_.violations.push_back("status " + std::to_string(reply.status) + " with " + reply.body);
        if (reply.status == 503 && reply["code"] != Json("STORAGE_FAILED"))
            ledger_.violations.push_back("503 with " + reply.body);
        return reply.json();
    }

    void one_call() override
    {
        const int what = any(100);
        if (what < 2)
            leave();
        else if (what < 5 && arena_.snapshots)
            snapshot();
        else if (!held_.empty() && (what < 50 || held_.size() > 20))
            finish();
        else
            assign();
    }

    /// Its tasks go to others; what it still holds of them by name will be refused as stale.
    void leave()
    {
        const auto token = next_token();
        auto& fate = ledger_.workers[name_];
        fate.uncertain = true;
        const auto answer = ask("unregister", R"("workerId":")" + name_ + "\"");
        fate.uncertain = false;
        if (!agreed(answer, token))
            return;
        fate.registered = false;
        ledger_.acknowledge(answer, token, false);
        while (!arena_.clients.stopped() && !enroll())
            pause();
    }

    void snapshot()
    {
        const auto reached = ledger_.reached;
        if (http_.post("/api/snapshot", "{}").status == 200)
            ledger_.in_snapshot = reached;
    }

    HttpPeer http_;
};

class WsClient final : public Caller {
public:
    WsClient(Arena& arena, int number, std::uint64_t seed)
        : Caller(arena, "w" + std::to_string(number), seed),
          peer_(arena.ws_port)
    {
    }

private:
    Json ask(const std::string& call, const std::string& fields) override
    {
        const auto id = std::to_string(++requests_);
        peer_.send(R"({"requestId":")" + id + R"(","type":")" + call + "\"," + fields + "}");
        for (;;) {
            const auto message = peer_.next();
            const auto type = message.type();
            if (type == "task_assigned")
                hold(message["task"]);
            else if (type == "response" && text(message.json, "requestId") == id)
                return message.json;
        }
    }

    /// It must be told of all that it held before the restart.
    bool enroll() override
    {
        const auto answer = ask_to_register();
        if (!answer)
            return false;
        const auto& told = field(*answer, "tasks").as_array();
        for (const auto& [task, worker] : arena_.before->assignments) {
            if (worker != name_)
                continue;
            if (std::ranges::find(told, Json(task)) == told.end())
                ledger_.violations.push_back(name_ + " came back and was not told that it holds " + task);
            const auto& known = arena_.before->tasks.at(task);
            if (text(known, "status") == "in_progress") // those that are not will be sent again
                hold(known);
        }
        return true;
    }

    void one_call() override
    {
        const int what = any(100);
        if (what < 15)
            assign_without_holding();
        else if (held_.empty())
            ask("heartbeat", R"("workerId":")" + name_ + "\"");
        else if (what < 45)
            report_progress();
        else
            finish();
    }

    /// Where the task comes to itself it is sent as well.
    void assign_without_holding()
    {
        const auto before = held_.size();
        assign();
        if (held_.size() > before && one_in(2))
            held_.pop_back();
    }

    void report_progress()
    {
        const auto token = next_token();
        const auto held = any_held();
        const auto answer = ask(
            "task_update", R"("taskId":")" + held.id + R"(","status":"in_progress","attempt":)" +
                               std::to_string(held.attempt) + R"(,"progress":)" + std::to_string(any(101)));
        if (agreed(answer, token))
            ledger_.acknowledge(answer, token, false);
    }

    WsPeer peer_;
    int requests_ = 0;
};

class Observer final : public Client {
public:
    Observer(Arena& arena, std::uint64_t seed) : Client(arena, "observer", seed), http_(arena.http_port) {}

private:
    void work() override
    {
        const auto health = http_.get("/health");
        if (health["status"] == Json("degraded")) {
            arena_.saw_degraded = true;
            if (health.status != 503 || text(health.json(), "reason").empty())
                ledger_.violations.push_back("degraded, but " + health.body);
        }
        if (registered_) {
            expect_ok(http_.post("/api/workers/heartbeat", R"({"workerId":"observer"})"), "a heartbeat");
            expect_ok(http_.get("/api/workers/observer"), "a read");
        } else {
            const auto reply =
                http_.post("/api/workers/register", R"({"workerId":"observer","capabilities":["watching"]})");
            registered_ = reply.status == 200;
        }
        rest(10ms);
    }

    void expect_ok(const testing::HttpReply& reply, const std::string& what)
    {
        if (reply.status != 200)
            ledger_.violations.push_back(what + " was refused: " + reply.body);
    }

    HttpPeer http_;
    bool registered_ = false;
};

} // namespace

std::unique_ptr<Client> http_client(Arena& arena, int number, std::uint64_t seed)
{
    return std::make_unique<HttpClient>(arena, number, seed);
}

std::unique_ptr<Client> ws_client(Arena& arena, int number, std::uint64_t seed)
{
    return std::make_unique<WsClient>(arena, number, seed);
}

std::unique_ptr<Client> observer(Arena& arena, std::uint64_t seed)
{
    return std::make_unique<Observer>(arena, seed);
}

} // namespace coordination::torture
