#include "persist/wal/segment_file.hpp"

#include "persist/snapshot/snapshot_file.hpp"
#include "persist/wal/segments.hpp"

#include <utility>

namespace coordination {

SegmentFile::SegmentFile(std::unique_ptr<File> file, std::string path, std::uint64_t size,
                         std::uint64_t reserved) noexcept
    : file_(std::move(file)),
      path_(std::move(path)),
      size_(size),
      reserved_(reserved)
{
}

tl::expected<SegmentFile, SegmentFile::Failure> SegmentFile::create(Disk& disk, const std::string& log_path,
                                                                    const SegmentHeader& header,
                                                                    std::string_view records,
                                                                    std::uint64_t reserve)
{
    const auto path = segment_path(log_path, header.sequence);
    const auto aside = aside_of(path);
    bool named = false;
    const auto given_up = [&](DiskError error) {
        static_cast<void>(disk.remove(aside));
        if (named)
            static_cast<void>(disk.remove(path));
        return tl::unexpected(Failure{std::move(error), named});
    };
    const auto made = disk.make_directories(directory_of(path));
    if (!made)
        return given_up(made.error());
    auto file = disk.open(aside, OpenMode::create);
    if (!file)
        return given_up(file.error());
    std::string text;
    append_header(text, header);
    text += records;
    const auto reserved = text.size() + reserve;
    const auto whole =
        (*file)->reserve(reserved).and_then([&] { return (*file)->write(text); }).and_then([&] {
            return (*file)->sync();
        });
    if (!whole)
        return given_up(whole.error());
    named = true; // from here on nobody knows, should it fail
    const auto renamed =
        disk.rename(aside, path).and_then([&] { return disk.sync_directory(directory_of(path)); });
    if (!renamed)
        return given_up(renamed.error());
    return SegmentFile(std::move(*file), path, text.size(), reserved);
}

DiskResult<void> SegmentFile::write(std::string_view records)
{
    const auto written = file_->write(records);
    if (written)
        size_ += records.size();
    return written;
}

DiskResult<void> SegmentFile::reserve(std::uint64_t size)
{
    if (size <= reserved_)
        return {};
    const auto reserved = file_->reserve(size);
    if (reserved)
        reserved_ = size;
    return reserved;
}

void SegmentFile::trim(std::uint64_t size)
{
    static_cast<void>(file_->truncate(size));
}

} // namespace coordination
