#pragma once

#include "persist/disk.hpp"

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace coordination::testing {

/// A disk in memory that fails when told to, and forgets in a loss of power what was not synced.
///
/// Each call of Disk or File is numbered, from 0. A write that is told to fail leaves half of its bytes behind.
class FaultyDisk final : public Disk {
public:
    /// What a loss of power does to the bytes of a file that were written and not synced.
    enum class Unsynced { lost, kept, cut };

    /// The call that fails, with this errno; all later ones succeed.
    void fail_call(std::size_t call, int code)
    {
        failing_ = call;
        code_ = code;
    }
    /// From this call on, the power is gone: every call fails, and none has an effect.
    void cut_power_at(std::size_t call) { power_lost_at_ = call; }
    bool fired() const noexcept { return fired_; }

    /// The disk as the next start finds it, with unsynced bytes treated as told, and unsynced names (created,
    /// renamed, removed) lost, or kept.
    std::unique_ptr<FaultyDisk> after_power_loss(Unsynced bytes, bool names_kept) const;

    void put(const std::string& path, std::string content);
    std::optional<std::string> content(const std::string& path) const;

    DiskResult<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override;
    DiskResult<bool> exists(const std::string& path) override;
    DiskResult<void> rename(const std::string& from, const std::string& to) override;
    DiskResult<void> remove(const std::string& path) override;
    DiskResult<void> make_directories(const std::string& path) override;
    DiskResult<void> sync_directory(const std::string& path) override;

private:
    class Handle;
    struct Content {
        std::string written;
        std::string synced;
        bool locked = false;
    };
    using Names = std::map<std::string, std::shared_ptr<Content>>;

    /// The errno of this call, if it is one that fails.
    std::optional<int> next_call();

    Names names_;        ///< as programs see them
    Names synced_names_; ///< as they are after a loss of power
    std::size_t calls_ = 0;
    std::optional<std::size_t> failing_;
    std::optional<std::size_t> power_lost_at_;
    int code_ = 0;
    bool fired_ = false;
};

} // namespace coordination::testing
