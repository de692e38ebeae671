#include "persist/snapshot/snapshot_file.hpp"

#include <utility>

namespace coordination {

std::string aside_of(const std::string& path)
{
    return path + ".tmp";
}

SnapshotFile::SnapshotFile(Disk& disk, std::string path)
    : disk_(disk),
      path_(std::move(path)),
      aside_(aside_of(path_))
{
}

SnapshotFile::~SnapshotFile()
{
    if (!file_)
        return;
    file_.reset();
    static_cast<void>(disk_.remove(aside_)); // the next snapshot, or the next start, does it otherwise
}

DiskResult<void> SnapshotFile::open()
{
    auto made = disk_.make_directories(directory_of(path_));
    if (!made)
        return made;
    auto file = disk_.open(aside_, OpenMode::create);
    if (!file)
        return tl::unexpected(std::move(file.error()));
    file_ = std::move(*file);
    return {};
}

DiskResult<void> SnapshotFile::write(std::string_view text)
{
    if (!file_) {
        auto opened = open();
        if (!opened)
            return opened;
    }
    checksum_.add(text);
    return file_->write(text);
}

DiskResult<void> SnapshotFile::commit()
{
    auto written = write("");
    if (!written)
        return written;
    auto sealed = file_->write(R"("checksum":")" + checksum_.text() + "\"}\n");
    if (!sealed)
        return sealed;
    auto synced = file_->sync();
    if (!synced)
        return synced;
    auto renamed = disk_.rename(aside_, path_);
    if (!renamed)
        return renamed;
    file_.reset();
    return disk_.sync_directory(directory_of(path_));
}

} // namespace coordination
