#pragma once

#include <chrono>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/json/object.hpp>

#include "cli/ctl/context.hpp"
#include "cli/ctl/failure.hpp"
#include "cli/ctl/worker_run/frames.hpp"
#include "cli/ctl/worker_run/worker_run.hpp"
#include "net/client/backoff.hpp"
#include "net/client/ws_client.hpp"

namespace coordination::ctl {

/// A worker: keeps a connection to the daemon, runs a command per task that it is given, and reports.
///
/// What it promises: one command per attempt, however often the daemon tells it of the task; an ending is
/// reported until the daemon has confirmed it, over as many connections as that takes; a command whose lease
/// is lost is ended.
class Agent : public std::enable_shared_from_this<Agent> {
public:
    Agent(ContextPtr context, WorkerRun request);

    boost::asio::awaitable<Outcome> run();

private:
    struct Running {
        Lease lease;
        std::shared_ptr<TaskProcess> process;
        std::optional<double> progress = std::nullopt;
        bool progress_unsent = false;
        bool update_unanswered = false; ///< at most one under way, so that a chatty command floods nobody
        bool abandoned = false;         ///< its lease is lost: nobody waits for how it ends
        bool confirms_cancel = false;   ///< but the daemon for its having stopped
    };
    struct Waiting {
        Lease lease;
        boost::json::object task;
    };
    struct Report {
        Lease lease;
        Ending ending;
        bool unanswered = false;
    };
    enum class Asked { progress, ending, task };
    struct Request {
        Asked asked;
        Lease lease;
    };

    // The connection (agent.cpp).
    boost::asio::awaitable<void> stay_connected();
    boost::asio::awaitable<tl::expected<void, Failure>> one_session();
    boost::asio::awaitable<void> beat();
    boost::asio::awaitable<void> obey_signals();
    boost::asio::awaitable<void> leave_when_done();
    boost::asio::awaitable<void> sign_off();
    void on_frame(const boost::json::object& frame);
    void on_registered(const boost::json::object& frame);
    void on_signal(int number);
    void end_if_done();
    void log(std::string_view line) const;

    // The tasks (agent_tasks.cpp).
    void on_assigned(const boost::json::object& task);
    void on_cancelled(const boost::json::object& frame);
    void on_response(const boost::json::object& frame);
    void on_refused(const Request& request, const boost::json::object& frame);
    void on_error(const boost::json::object& frame);
    void settle_held(const boost::json::array& held);
    void send_again_what_is_unanswered();
    bool already_here(const Lease& lease);
    void start(const Lease& lease, const boost::json::object& task);
    void start_waiting();
    boost::asio::awaitable<void> attend(std::shared_ptr<Running> running, std::string input);
    void on_ended(const std::shared_ptr<Running>& running, Ending ending);
    void on_progress(Running& running, double progress);
    void abandon(const std::string& task_id, std::string_view why);
    void send_progress(Running& running);
    void report(Report& report);
    std::string ask(Asked asked, const Lease& lease);
    void pass_on(const Output& output, const Running& running, std::string_view line) const;

    ContextPtr context_;
    WorkerRun request_;
    WsClient ws_;
    net_client::ReconnectBackoff backoff_;
    std::chrono::milliseconds heartbeat_interval_{5'000};

    std::map<std::string, std::shared_ptr<Running>> running_; ///< with a live lease, by task
    std::deque<Waiting> waiting_;                             ///< for room, in order of arrival
    std::map<std::string, Report> unconfirmed_;               ///< by task
    std::map<std::string, Request> requests_;                 ///< unanswered on this connection, by requestId
    std::uint64_t requests_made_ = 0;
    std::size_t commands_ = 0; ///< running, abandoned ones included

    bool registered_ = false; ///< on this connection
    bool known_to_daemon_ = false;
    bool leaving_ = false; ///< no new task
    bool hurried_ = false; ///< and none is finished
    bool stopped_ = false;
    std::optional<Failure> failure_;
    boost::asio::steady_timer done_; ///< never runs out; cancelled when there is nothing left to do
    boost::asio::steady_timer heartbeat_timer_;
    boost::asio::steady_timer retry_timer_;
    boost::asio::signal_set signals_;
};

} // namespace coordination::ctl
