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

/// Carries out a plan: tells the daemon of what is finished, hands in the rest with what it waits for, and
/// follows what becomes of it.
///
/// It looks again only when the daemon says that something changed, so that an hour's wait costs nobody
/// anything. When the connection is lost it comes back, and looks at
/// every open task anew.
class ImportRun : public std::enable_shared_from_this<ImportRun> {
public:
    ImportRun(ContextPtr context, Import request, CortexQueue queue, std::vector<PlannedTask> plan);

    boost::asio::awaitable<Outcome> run();
    const ImportSummary& summary() const { return summary_; }

private:
    static constexpr std::size_t batch_max = 500; ///< tasks of one call

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
    boost::asio::awaitable<Outcome> hand_out(std::vector<std::size_t> batch);
    boost::asio::awaitable<Outcome> hand_out_alone(std::size_t index);
    boost::asio::awaitable<void> wait_for_change();
    std::vector<std::size_t> in_order_of_dependency() const;
    boost::json::object submission(std::size_t index) const;
    void note_submitted(std::size_t index);
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
    void block(std::size_t index, std::string_view why);
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
