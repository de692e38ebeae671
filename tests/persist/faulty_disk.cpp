#include "persist/faulty_disk.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <iterator>
#include <limits>
#include <set>
#include <utility>

namespace coordination::testing {
namespace {

/// Small, so that a short log has many.
constexpr std::size_t page_bytes = 64;

tl::unexpected<DiskError> failed(std::string operation, const std::string& path, int code)
{
    return tl::unexpected(DiskError{std::move(operation), path, code});
}

/// Each page as it was written or as it was synced.
std::string shuffled(const std::string& written, const std::string& synced, std::mt19937_64& random)
{
    std::string left;
    for (std::size_t at = 0; at < std::max(written.size(), synced.size()); at += page_bytes) {
        const auto& from = random() % 2 == 0 ? written : synced;
        if (at >= from.size())
            continue;
        left.resize(at); // a hole where a page before was lost
        left += from.substr(at, page_bytes);
    }
    return left;
}

} // namespace

class FaultyDisk::Handle final : public File {
public:
    Handle(FaultyDisk& disk, std::shared_ptr<Content> content, std::string path)
        : disk_(disk),
          content_(std::move(content)),
          path_(std::move(path))
    {
    }
    ~Handle() override
    {
        const std::lock_guard lock(disk_.mutex_);
        if (holds_lock_)
            content_->locked = false;
    }

    DiskResult<void> write(std::string_view bytes) override
    {
        const auto lock = disk_.begin("write");
        if (const auto code = disk_.next_call("write")) {
            if (!disk_.power_lost_at_)
                content_->written.append(bytes.substr(0, bytes.size() / 2));
            return failed("write", path_, *code);
        }
        const auto set_aside = content_->reserved - std::min(content_->reserved, content_->written.size());
        const auto room = disk_.room() + set_aside;
        content_->written.append(bytes.substr(0, room));
        if (bytes.size() > room) {
            disk_.fired_ = true;
            return failed("write", path_, ENOSPC);
        }
        return {};
    }

    DiskResult<void> sync() override
    {
        const auto lock = disk_.begin("sync");
        auto& [written, synced, dropped_from, dropped_to, reserved, locked] = *content_;
        if (const auto code = disk_.next_call("sync")) {
            if (!disk_.power_lost_at_) {
                dropped_from = dropped_to == 0 ? synced.size() : dropped_from;
                dropped_to = written.size();
            }
            return failed("sync", path_, *code);
        }
        synced = written;
        for (auto at = dropped_from; at < std::min(dropped_to, synced.size()); ++at)
            synced[at] = '\0';
        return {};
    }

    DiskResult<std::size_t> read(std::span<char> into) override
    {
        const auto lock = disk_.begin("read");
        if (const auto code = disk_.next_call("read"))
            return failed("read", path_, *code);
        const auto count = std::min(into.size(), content_->written.size() - read_);
        std::memcpy(into.data(), content_->written.data() + read_, count);
        read_ += count;
        return count;
    }

    DiskResult<void> truncate(std::uint64_t size) override
    {
        const auto lock = disk_.begin("truncate");
        if (const auto code = disk_.next_call("truncate"))
            return failed("truncate", path_, *code);
        content_->written.resize(size);
        content_->reserved = 0;
        return {};
    }

    DiskResult<void> reserve(std::uint64_t size) override
    {
        const auto lock = disk_.begin("reserve");
        if (const auto code = disk_.next_call("reserve"))
            return failed("reserve space for", path_, *code);
        const auto held = std::max<std::uint64_t>(content_->reserved, content_->written.size());
        if (size > held && size - held > disk_.room()) {
            disk_.fired_ = true;
            return failed("reserve space for", path_, ENOSPC);
        }
        content_->reserved = std::max(content_->reserved, size);
        return {};
    }

    DiskResult<bool> try_lock() override
    {
        const auto lock = disk_.begin("lock");
        if (const auto code = disk_.next_call("lock"))
            return failed("lock", path_, *code);
        if (content_->locked)
            return false;
        content_->locked = true;
        holds_lock_ = true;
        return true;
    }

private:
    FaultyDisk& disk_;
    std::shared_ptr<Content> content_;
    std::string path_;
    std::size_t read_ = 0;
    bool holds_lock_ = false;
};

void FaultyDisk::fail_call(std::size_t call, int code)
{
    const std::lock_guard lock(mutex_);
    failing_ = call;
    code_ = code;
}

void FaultyDisk::fail_all(std::string operation, int code)
{
    const std::lock_guard lock(mutex_);
    failing_operation_ = std::move(operation);
    code_ = code;
}

void FaultyDisk::heal()
{
    const std::lock_guard lock(mutex_);
    failing_.reset();
    failing_operation_.reset();
    capacity_.reset();
}

void FaultyDisk::cut_power_at(std::size_t call)
{
    const std::lock_guard lock(mutex_);
    power_lost_at_ = call;
}

bool FaultyDisk::fired() const
{
    const std::lock_guard lock(mutex_);
    return fired_;
}

std::size_t FaultyDisk::calls() const
{
    const std::lock_guard lock(mutex_);
    return calls_;
}

void FaultyDisk::set_capacity(std::uint64_t bytes)
{
    const std::lock_guard lock(mutex_);
    capacity_ = bytes;
}

void FaultyDisk::before_calls(std::function<void(const std::string&)> look)
{
    const std::lock_guard lock(mutex_);
    look_ = std::move(look);
}

std::uint64_t FaultyDisk::used() const
{
    const std::lock_guard lock(mutex_);
    return used_now();
}

std::uint64_t FaultyDisk::used_now() const
{
    std::uint64_t used = 0;
    for (const auto& [path, content] : names_)
        used += std::max<std::uint64_t>(content->reserved, content->written.size());
    return used;
}

std::uint64_t FaultyDisk::room() const
{
    if (!capacity_)
        return std::numeric_limits<std::uint32_t>::max();
    return *capacity_ - std::min(*capacity_, used_now());
}

std::unique_lock<std::mutex> FaultyDisk::begin(const std::string& operation)
{
    std::unique_lock lock(mutex_);
    if (const auto look = look_) {
        lock.unlock();
        look(operation);
        lock.lock();
    }
    return lock;
}

std::optional<int> FaultyDisk::next_call(const std::string& operation)
{
    const auto call = calls_++;
    if (power_lost_at_ && call >= *power_lost_at_) {
        fired_ = true;
        return EIO;
    }
    const bool of_a_kind =
        failing_operation_ && (failing_operation_->empty() || failing_operation_ == operation);
    if (call != failing_ && !of_a_kind)
        return std::nullopt;
    fired_ = true;
    return code_;
}

std::unique_ptr<FaultyDisk> FaultyDisk::after_power_loss(Unsynced bytes, bool names_kept) const
{
    const std::lock_guard lock(mutex_);
    auto disk = std::make_unique<FaultyDisk>();
    for (const auto& [path, content] : names_kept ? names_ : synced_names_) {
        auto left = content->synced;
        if (bytes == Unsynced::kept)
            left = content->written;
        else if (bytes == Unsynced::cut)
            left = content->written.substr(0, (content->synced.size() + content->written.size()) / 2);
        disk->put(path, std::move(left));
    }
    return disk;
}

std::unique_ptr<FaultyDisk> FaultyDisk::after_power_loss(std::mt19937_64& random) const
{
    const std::lock_guard lock(mutex_);
    auto disk = std::make_unique<FaultyDisk>();
    const bool names_kept = random() % 2 == 0;
    for (const auto& [path, content] : names_kept ? names_ : synced_names_)
        disk->put(path, shuffled(content->written, content->synced, random));
    std::set<const Content*> still_named;
    for (const auto& [path, content] : names_)
        still_named.insert(content.get());
    for (const auto& [path, content] : synced_names_)
        if (names_kept && !names_.contains(path) && !still_named.contains(content.get()) && random() % 2 == 0)
            disk->put(path, shuffled(content->written, content->synced, random));
    return disk;
}

std::unique_ptr<FaultyDisk> FaultyDisk::after_kill() const
{
    const std::lock_guard lock(mutex_);
    auto disk = std::make_unique<FaultyDisk>();
    std::map<const Content*, std::shared_ptr<Content>> copies;
    const auto copy_of = [&copies](const std::shared_ptr<Content>& content) {
        auto& copy = copies[content.get()];
        if (!copy) {
            copy = std::make_shared<Content>(*content);
            copy->reserved = 0;
            copy->locked = false;
        }
        return copy;
    };
    for (const auto& [path, content] : names_)
        disk->names_[path] = copy_of(content);
    for (const auto& [path, content] : synced_names_)
        disk->synced_names_[path] = copy_of(content);
    return disk;
}

void FaultyDisk::put(const std::string& path, std::string content)
{
    const std::lock_guard lock(mutex_);
    auto file = std::make_shared<Content>();
    file->written = content;
    file->synced = std::move(content);
    names_[path] = file;
    synced_names_[path] = std::move(file);
}

std::optional<std::string> FaultyDisk::content(const std::string& path) const
{
    const std::lock_guard lock(mutex_);
    const auto file = names_.find(path);
    return file == names_.end() ? std::nullopt : std::optional(file->second->written);
}

DiskResult<std::unique_ptr<File>> FaultyDisk::open(const std::string& path, OpenMode mode)
{
    const auto lock = begin("open");
    if (const auto code = next_call("open"))
        return failed("open", path, *code);
    if (mode == OpenMode::read && !names_.contains(path))
        return failed("open", path, ENOENT);
    auto& file = names_[path];
    if (!file)
        file = std::make_shared<Content>();
    else if (mode == OpenMode::create)
        file->written.clear();
    return std::make_unique<Handle>(*this, file, path);
}

DiskResult<bool> FaultyDisk::exists(const std::string& path)
{
    const auto lock = begin("look for");
    if (const auto code = next_call("look for"))
        return failed("look for", path, *code);
    return names_.contains(path);
}

DiskResult<void> FaultyDisk::rename(const std::string& from, const std::string& to)
{
    const auto lock = begin("rename");
    if (const auto code = next_call("rename"))
        return failed("rename a file to", to, *code);
    const auto file = names_.find(from);
    if (file == names_.end())
        return failed("rename a file to", to, ENOENT);
    names_[to] = file->second;
    names_.erase(from);
    return {};
}

DiskResult<void> FaultyDisk::remove(const std::string& path)
{
    const auto lock = begin("remove");
    if (const auto code = next_call("remove"))
        return failed("remove", path, *code);
    names_.erase(path);
    return {};
}

DiskResult<std::vector<std::string>> FaultyDisk::list(const std::string& path)
{
    const auto lock = begin("list");
    if (const auto code = next_call("list"))
        return failed("list the directory", path, *code);
    std::vector<std::string> inside;
    for (const auto& [name, content] : names_)
        if (directory_of(name) == path)
            inside.push_back(name.substr(name.rfind('/') + 1));
    return inside;
}

DiskResult<void> FaultyDisk::make_directories(const std::string& path)
{
    const auto lock = begin("make directories");
    if (const auto code = next_call("make directories"))
        return failed("make the directory", path, *code);
    return {};
}

DiskResult<void> FaultyDisk::sync_directory(const std::string& path)
{
    const auto lock = begin("sync directory");
    if (const auto code = next_call("sync directory"))
        return failed("sync the directory", path, *code);
    const auto inside = [&path](const auto& name) { return directory_of(name.first) == path; };
    std::erase_if(synced_names_, inside);
    std::ranges::copy_if(names_, std::inserter(synced_names_, synced_names_.end()), inside);
    return {};
}

} // namespace coordination::testing
