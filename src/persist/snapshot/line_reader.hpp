#pragma once

#include "persist/disk.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace coordination {

/// A file's lines, read in blocks: holds one block and one line, whatever the size of the file.
class LineReader {
public:
    explicit LineReader(File& file) : file_(file) {}

    /// Goes on to the next line; false at the end of the file. A last line without a line end is one too.
    DiskResult<bool> next();

    /// The line with its line end, if it has one. Good until the next call of next().
    std::string_view line() const noexcept { return line_; }
    std::uint64_t number() const noexcept { return number_; } ///< from 1
    std::uint64_t offset() const noexcept { return offset_; } ///< of the line's first byte in the file

private:
    static constexpr std::size_t block_bytes = std::size_t{64} << 10;

    File& file_;
    std::string block_;     ///< what was read; grows for a line that is longer
    std::size_t begin_ = 0; ///< of what was not handed out yet
    bool at_end_ = false;
    std::string_view line_;
    std::uint64_t number_ = 0;
    std::uint64_t offset_ = 0;
};

} // namespace coordination
