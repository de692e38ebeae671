#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "cli/ctl/output.hpp"

namespace coordination::ctl {

struct ImportCounts {
    std::size_t total = 0;
    std::size_t ended = 0;
    std::size_t running = 0;

    bool operator==(const ImportCounts&) const = default;
};

/// "[#########-----------]  9 of 20 ended, 3 running, 8 waiting"
std::string progress_bar(const ImportCounts& counts, std::size_t columns);

/// How an import goes on: a bar on a terminal, a line per event elsewhere, nothing for programs.
class ImportProgress {
public:
    ImportProgress(const Output& output, bool silent) : output_(output), silent_(silent) {}
    ~ImportProgress() { clear(); }
    ImportProgress(const ImportProgress&) = delete;
    ImportProgress& operator=(const ImportProgress&) = delete;

    /// What happened to a task: for a log, not beside a bar.
    void event(std::string_view line);
    /// What the operator must know either way.
    void notice(std::string_view line);
    void update(const ImportCounts& counts);
    void clear();

private:
    const Output& output_;
    bool silent_;
    bool drawn_ = false;
    ImportCounts counts_;
};

} // namespace coordination::ctl
