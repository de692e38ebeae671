#pragma once

#include "core/error.hpp"
#include "net/coordinator.hpp"
#include "net/options.hpp"
#include "persist/journal.hpp"
#include "persist/snapshot/snapshot_writer.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>

#include <tl/expected.hpp>

#include <mutex>
#include <optional>
#include <string>

namespace coordination {

/// Gives the journal a snapshot at each interval if the state has changed, when it asks for one, on request
/// and at the end. The strand gives it a frozen view in bounded slices; the journal is written to by a thread
/// of its own, so neither a large state nor a slow disk holds up a client. With memory-only it does nothing.
///
/// While a snapshot cannot be written it is tried again each second.
///
/// Threads  failure() from any; the rest on executors of the daemon's io_context.
class Snapshotter {
public:
    Snapshotter(const boost::asio::any_io_executor& executor, const DaemonOptions& options, Journal& journal,
                Coordinator& coordinator, const Clock& clock, Metrics& metrics);

    /// Takes them as their time comes, until finish().
    void start();
    /// The same for a clock that does not go by itself: takes one if it is time, and tells when the next is due.
    boost::asio::awaitable<std::optional<Timestamp>> catch_up();
    /// A snapshot of now. One at a time: a call during another's waits for it first.
    boost::asio::awaitable<tl::expected<void, Error>> take();
    /// Ends the periodic ones and takes the last.
    boost::asio::awaitable<tl::expected<void, std::string>> finish();

    /// Why the last snapshot could not be written; empty: it could.
    std::string failure() const;

private:
    boost::asio::awaitable<void> take_periodically();
    boost::asio::awaitable<void> take_if_due();
    boost::asio::awaitable<tl::expected<void, Error>> take_one(bool unchanged_too);
    boost::asio::awaitable<tl::expected<void, std::string>> write_view(bool unchanged_too);
    static bool add_slice(SnapshotWriter& writer, FrozenView& view);
    template <class Call>
    boost::asio::awaitable<tl::expected<void, std::string>> blocking(Call call);

    const DaemonOptions& options_;
    Journal& journal_;
    Coordinator& coordinator_;
    const Clock& clock_;
    Metrics& metrics_;
    Strand strand_;                          ///< guards what follows, but for the failure
    boost::asio::thread_pool writer_thread_; ///< one thread
    boost::asio::steady_timer interval_;
    boost::asio::steady_timer turn_; ///< never expires; cancelled when a snapshot has ended
    bool taking_ = false;
    bool finished_ = false;
    Revision saved_ = 0;
    Timestamp taken_at_{};

    mutable std::mutex failure_mutex_;
    std::string failure_;
};

} // namespace coordination
