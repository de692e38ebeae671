#pragma once

#include "persist/disk.hpp"

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>

namespace coordination::testing {

/// A disk in memory that fails when told to, and forgets in a loss of power what was not synced.
///
/// Each call of Disk or File is numbered, from 0. A write that is told to fail leaves half of its bytes
/// behind, and a sync drops what it should have written, as Linux does.
///
/// Threads  Any.
class FaultyDisk final : public Disk {
public:
    /// What a loss of power does to the bytes of a file that were written and not synced.
    enum class Unsynced { lost, kept, cut };

    /// The call that fails, with this errno; all later ones succeed.
    void fail_call(std::size_t call, int code);
    /// Calls of this kind ("write", "sync", …; empty: all) fail with this errno, until heal().
    void fail_all(std::string operation, int code);
    void heal();
    /// From this call on, the power is gone: every call fails, and none has an effect.
    void cut_power_at(std::size_t call);
    bool fired() const;
    std::size_t calls() const;

    /// Files take this much at the most, be it written or set aside.
    void set_capacity(std::uint64_t bytes);
    /// Called before each call with its name, outside of all locks: whoever blocks in it holds that call up.
    void before_calls(std::function<void(const std::string& operation)> look);

    /// The disk as the next start finds it, with unsynced bytes treated as told, and unsynced names (created,
    /// renamed, removed) lost, or kept.
    std::unique_ptr<FaultyDisk> after_power_loss(Unsynced bytes, bool names_kept) const;
    /// The same, each small page of unsynced bytes, each removed name, and all other names together, lost or
    /// kept as it comes: the writes have reached the disk in another order.
    std::unique_ptr<FaultyDisk> after_power_loss(std::mt19937_64& random) const;
    /// The disk after kill -9: the kernel has kept everything, and will write what it still has to once it is
    /// synced, but for what a sync that failed has dropped.
    std::unique_ptr<FaultyDisk> after_kill() const;

    void put(const std::string& path, std::string content);
    std::optional<std::string> content(const std::string& path) const;
    /// Bytes written and set aside.
    std::uint64_t used() const;

    DiskResult<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override;
    DiskResult<bool> exists(const std::string& path) override;
    DiskResult<void> rename(const std::string& from, const std::string& to) override;
    DiskResult<void> remove(const std::string& path) override;
    DiskResult<std::vector<std::string>> list(const std::string& path) override;
    DiskResult<void> make_directories(const std::string& path) override;
    DiskResult<void> sync_directory(const std::string& path) override;

private:
    class Handle;
    struct Content {
        std::string written;
        std::string synced;
        /// What a sync that failed has let go of: seen by programs, but no later sync writes it.
        std::size_t dropped_from = 0;
        std::size_t dropped_to = 0;
        std::uint64_t reserved = 0;
        bool locked = false;
    };
    using Names = std::map<std::string, std::shared_ptr<Content>>;

    /// Begins a call; the lock is held until its end.
    std::unique_lock<std::mutex> begin(const std::string& operation);
    /// The errno of this call, if it is one that fails.
    std::optional<int> next_call(const std::string& operation);
    std::uint64_t used_now() const;
    std::uint64_t room() const;

    mutable std::mutex mutex_;
    std::function<void(const std::string&)> look_;
    Names names_;        ///< as programs see them
    Names synced_names_; ///< as they are after a loss of power
    std::size_t calls_ = 0;
    std::optional<std::size_t> failing_;
    std::optional<std::string> failing_operation_;
    std::optional<std::size_t> power_lost_at_;
    std::optional<std::uint64_t> capacity_;
    int code_ = 0;
    bool fired_ = false;
};

} // namespace coordination::testing
