#pragma once

#include "core/error.hpp"
#include "net/coordinator.hpp"
#include "net/options.hpp"
#include "persist/directory_lock.hpp"
#include "persist/snapshot/snapshot_file.hpp"
#include "persist/snapshot/snapshot_writer.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>

#include <tl/expected.hpp>

#include <atomic>
#include <mutex>
#include <optional>
#include <string>

namespace coordination {

/// The periodic-snapshot strategy: saves the state at each interval if it has changed, on request and at the
/// end. The strand gives it a frozen view in bounded slices; the disk is written by a thread of its own, so
/// neither a large state nor a slow disk holds up a client. With memory-only it does nothing.
///
/// While the disk refuses, new work is refused too, what runs may end, and it is tried again until it works.
///
/// Threads  failure() from any; recover() before start(); the rest on executors of the daemon's io_context.
class Snapshotter {
public:
    Snapshotter(const DaemonOptions& options, Disk& disk, Coordinator& coordinator, const Clock& clock,
                Metrics& metrics);

    /// Takes the directory for this process and loads what was saved. The revision it was saved at; 0:
    /// nothing was.
    tl::expected<Revision, std::string> recover(StateStore& store);

    void start();
    /// A snapshot of now. One at a time: a call during another's waits for it first.
    boost::asio::awaitable<tl::expected<void, Error>> take();
    /// Ends the periodic ones and takes the last.
    boost::asio::awaitable<tl::expected<void, std::string>> finish();

    /// Why the state cannot be saved at present; empty: it can.
    std::string failure() const;

private:
    using Strand = boost::asio::strand<boost::asio::any_io_executor>;

    boost::asio::awaitable<void> take_periodically();
    boost::asio::awaitable<tl::expected<void, Error>> take_one();
    boost::asio::awaitable<tl::expected<void, std::string>> write_view();
    static bool add_slice(SnapshotWriter& writer, FrozenView& view);
    template <class Call>
    boost::asio::awaitable<DiskResult<void>> on_disk(Call call);

    const DaemonOptions& options_;
    Disk& disk_;
    Coordinator& coordinator_;
    const Clock& clock_;
    Metrics& metrics_;
    Strand strand_;                        ///< guards what follows, but for the failure
    boost::asio::thread_pool disk_thread_; ///< one thread
    std::optional<DirectoryLock> lock_;
    boost::asio::steady_timer interval_;
    boost::asio::steady_timer turn_; ///< never expires; cancelled when a snapshot has ended
    bool taking_ = false;
    bool finished_ = false;
    Revision saved_ = 0;

    mutable std::mutex failure_mutex_;
    std::string failure_;
};

} // namespace coordination
