#include "persist/faulty_disk.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <iterator>
#include <utility>

namespace coordination::testing {
namespace {

tl::unexpected<DiskError> failed(std::string operation, const std::string& path, int code)
{
    return tl::unexpected(DiskError{std::move(operation), path, code});
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
        if (holds_lock_)
            content_->locked = false;
    }

    DiskResult<void> write(std::string_view bytes) override
    {
        if (const auto code = disk_.next_call()) {
            if (!disk_.power_lost_at_)
                content_->written.append(bytes.substr(0, bytes.size() / 2));
            return failed("write", path_, *code);
        }
        content_->written.append(bytes);
        return {};
    }

    DiskResult<void> sync() override
    {
        if (const auto code = disk_.next_call())
            return failed("sync", path_, *code);
        content_->synced = content_->written;
        return {};
    }

    DiskResult<std::size_t> read(std::span<char> into) override
    {
        if (const auto code = disk_.next_call())
            return failed("read", path_, *code);
        const auto count = std::min(into.size(), content_->written.size() - read_);
        std::memcpy(into.data(), content_->written.data() + read_, count);
        read_ += count;
        return count;
    }

    DiskResult<void> truncate(std::uint64_t size) override
    {
        if (const auto code = disk_.next_call())
            return failed("truncate", path_, *code);
        content_->written.resize(size);
        return {};
    }

    DiskResult<bool> try_lock() override
    {
        if (const auto code = disk_.next_call())
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

std::optional<int> FaultyDisk::next_call()
{
    const auto call = calls_++;
    if (power_lost_at_ && call >= *power_lost_at_) {
        fired_ = true;
        return EIO;
    }
    if (call != failing_)
        return std::nullopt;
    fired_ = true;
    return code_;
}

std::unique_ptr<FaultyDisk> FaultyDisk::after_power_loss(Unsynced bytes, bool names_kept) const
{
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

void FaultyDisk::put(const std::string& path, std::string content)
{
    auto file = std::make_shared<Content>();
    file->written = content;
    file->synced = std::move(content);
    names_[path] = file;
    synced_names_[path] = std::move(file);
}

std::optional<std::string> FaultyDisk::content(const std::string& path) const
{
    const auto file = names_.find(path);
    return file == names_.end() ? std::nullopt : std::optional(file->second->written);
}

DiskResult<std::unique_ptr<File>> FaultyDisk::open(const std::string& path, OpenMode mode)
{
    if (const auto code = next_call())
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
    if (const auto code = next_call())
        return failed("look for", path, *code);
    return names_.contains(path);
}

DiskResult<void> FaultyDisk::rename(const std::string& from, const std::string& to)
{
    if (const auto code = next_call())
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
    if (const auto code = next_call())
        return failed("remove", path, *code);
    names_.erase(path);
    return {};
}

DiskResult<void> FaultyDisk::make_directories(const std::string& path)
{
    if (const auto code = next_call())
        return failed("make the directory", path, *code);
    return {};
}

DiskResult<void> FaultyDisk::sync_directory(const std::string& path)
{
    if (const auto code = next_call())
        return failed("sync the directory", path, *code);
    const auto inside = [&path](const auto& name) { return directory_of(name.first) == path; };
    std::erase_if(synced_names_, inside);
    std::ranges::copy_if(names_, std::inserter(synced_names_, synced_names_.end()), inside);
    return {};
}

} // namespace coordination::testing
