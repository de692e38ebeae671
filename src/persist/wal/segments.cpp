#include "persist/wal/segments.hpp"

#include "persist/snapshot/snapshot_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <span>
#include <string_view>

namespace coordination {
namespace {

constexpr std::size_t digits_min = 8;

std::string_view base_name(std::string_view path)
{
    return path.substr(path.rfind('/') + 1); // npos + 1 is 0
}

std::optional<std::uint64_t> sequence_in(std::string_view name, std::string_view log_name)
{
    if (!name.starts_with(log_name) || name.substr(log_name.size(), 1) != ".")
        return std::nullopt;
    const auto digits = name.substr(log_name.size() + 1);
    std::uint64_t sequence = 0;
    const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), sequence);
    if (failure != std::errc{} || end != digits.data() + digits.size() ||
        segment_path(std::string(log_name), sequence) != name)
        return std::nullopt; // the same number written otherwise is no name of ours
    return sequence;
}

} // namespace

std::string segment_path(const std::string& log_path, std::uint64_t sequence)
{
    return fmt::format("{}.{:0{}}", log_path, sequence, digits_min);
}

DiskResult<std::vector<SegmentName>> list_segments(Disk& disk, const std::string& log_path)
{
    const auto names = disk.list(directory_of(log_path));
    if (!names)
        return tl::unexpected(names.error());
    std::vector<SegmentName> segments;
    for (const auto& name : *names)
        if (const auto sequence = sequence_in(name, base_name(log_path)))
            segments.push_back({*sequence, segment_path(log_path, *sequence)});
    std::ranges::sort(segments, {}, &SegmentName::sequence);
    return segments;
}

DiskResult<void> remove_unfinished_segments(Disk& disk, const std::string& log_path)
{
    const auto directory = directory_of(log_path);
    const auto names = disk.list(directory);
    if (!names)
        return tl::unexpected(names.error());
    const auto aside = aside_of("");
    for (const auto& name : *names) {
        if (!name.ends_with(aside) ||
            !sequence_in(std::string_view(name).substr(0, name.size() - aside.size()), base_name(log_path)))
            continue;
        const auto removed = disk.remove(directory + "/" + name);
        if (!removed)
            return removed;
    }
    return {};
}

DiskResult<std::string> read_file(Disk& disk, const std::string& path)
{
    constexpr std::size_t block_bytes_min = 16 * 1024;
    auto file = disk.open(path, OpenMode::read);
    if (!file)
        return tl::unexpected(file.error());
    std::string text;
    for (;;) {
        const auto size = text.size();
        text.resize(size + std::max(size, block_bytes_min));
        const auto got = (*file)->read(std::span(text).subspan(size));
        if (!got)
            return tl::unexpected(got.error());
        text.resize(size + *got);
        if (*got == 0)
            return text;
    }
}

} // namespace coordination
