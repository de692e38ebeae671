#include "persist/snapshot/line_reader.hpp"

namespace coordination {

DiskResult<bool> LineReader::next()
{
    offset_ += line_.size();
    line_ = {};
    std::size_t searched = begin_;
    for (;;) {
        const auto line_end = block_.find('\n', searched);
        if (line_end != std::string::npos || (at_end_ && begin_ < block_.size())) {
            const auto end = line_end == std::string::npos ? block_.size() : line_end + 1;
            line_ = std::string_view(block_).substr(begin_, end - begin_);
            begin_ = end;
            ++number_;
            return true;
        }
        if (at_end_)
            return false;

        block_.erase(0, begin_);
        begin_ = 0;
        searched = block_.size();
        block_.resize(searched + block_bytes);
        const auto got = file_.read(std::span(block_).subspan(searched));
        if (!got)
            return tl::unexpected(got.error());
        block_.resize(searched + *got);
        at_end_ = *got == 0;
    }
}

} // namespace coordination
