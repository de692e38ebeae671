#pragma once

#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/json/object.hpp>
#include <tl/expected.hpp>

#include "cli/ctl/context.hpp"
#include "cli/ctl/cortex/import_command.hpp"
#include "cli/ctl/cortex/import_plan.hpp"
#include "cli/ctl/cortex/import_progress.hpp"
#include "cli/ctl/cortex/import_summary.hpp"
#include "cli/ctl/failure.hpp"
#include "net/client/ws_client.hpp"

namespace coordination::ctl {

/// Carries out a plan: tells the daemon of what is finished, and hands out the rest as workers get room.
///
/// It asks again only when the daemon says that something changed (a task ended, a worker came or got room),
/// so that an hour's wait costs nobody anything. When the connection is lost it comes back, and looks at
/// every open task anew.
class ImportRun : public std::enable_shared_from_this<ImportRun> {
public:
    ImportRun(ContextPtr context, Import request, CortexQueue queue, std::vector<PlannedTask> plan);

    boost::asio::awaitable<Outcome> run();
    const ImportSummary& summary() const { return summary_; }

private:
    /// Where a task of the file is in the daemon.
    enum class Standing { absent, pending, held, completed, failed };
    struct Tracked {
        Handling handling = Handling::leave_alone;
        Standing standing = Standing::absent;
        std::string holder;
        bool was_there = false;    ///< ended or held before this import
        bool ended_before = false; ///< ended, of these
        bool handed_out = false;   ///< by this import
        bool given_up = false;     ///< refused or blocked: the summary says why
    };

    // Handing out (import_run.cpp).
    boost::asio::awaitable<Outcome> carry_out();
    boost::asio::awaitable<Outcome> look_at_all();
    boost::asio::awaitable<Outcome> look_at(std::size_t index);
    boost::asio::awaitable<Outcome> hand_out_what_can_go();
    boost::asio::awaitable<Outcome> hand_out(const PlannedTask* planned);
    boost::asio::awaitable<void> wait_for_change();
    bool may_go(const PlannedTask& planned);
    std::string capabilities_asked(std::size_t index) const;
    bool over() const;
    void sum_up();
    void show() const;
    void tell_what_is_missing();
    const CortexTask& task(std::size_t index) const { return queue_.tasks[index]; }

    // Following the daemon (import_follow.cpp).
    boost::asio::awaitable<Outcome> subscribe();
    boost::asio::awaitable<void> follow();
    boost::asio::awaitable<void> obey_signals();
    void on_change(const boost::json::object& change);
    bool take(std::size_t index, const boost::json::object& seen);
    void wake();
    void stop();

    // What is finished already (import_finished.cpp).
    boost::asio::awaitable<Outcome> import_finished();
    boost::asio::awaitable<Outcome> finish_all(std::string importer);
    boost::asio::awaitable<Outcome> finish(std::size_t index, std::string importer);
    boost::json::array capabilities_of_finished() const;

    ContextPtr context_;
    Import request_;
    CortexQueue queue_;
    std::vector<PlannedTask> plan_;
    std::vector<Tracked> tracked_; ///< by index in the queue
    std::unordered_map<std::string_view, std::size_t> index_of_;
    std::set<std::string> full_; ///< capabilities for which no worker had room for since the last change
    std::string missing_told_;
    std::unique_ptr<ImportProgress> progress_;
    ImportSummary summary_;

    WsClient ws_;
    boost::asio::steady_timer change_; ///< never runs out; cancelled when something changed
    boost::asio::steady_timer retry_;
    boost::asio::signal_set signals_;
    bool changed_ = false;
    bool look_again_ = false; ///< changes may have been missed
    bool stopped_ = false;
    bool interrupted_ = false;
};

} // namespace coordination::ctl
