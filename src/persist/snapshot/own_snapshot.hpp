#pragma once

#include "persist/snapshot/checksum.hpp"
#include "persist/snapshot/line_reader.hpp"
#include "persist/snapshot/load.hpp"
#include "persist/snapshot/row_fields.hpp"
#include "persist/snapshot/row_reader.hpp"

#include <string>
#include <unordered_map>
#include <vector>

namespace coordination {

/// Loads a snapshot of our own format, line by line: holds the workers and the live leases beside the state
/// itself. Each row is checked as it comes, so that damage is told by its place and can do no harm before the
/// checksum, which stands at the end, has its say.
class OwnSnapshot {
public:
    /// `lines` stands on the first line.
    OwnSnapshot(LineReader& lines, const std::string& path, StateStore& store)
        : lines_(lines),
          path_(path),
          store_(store),
          reader_(store.capabilities())
    {
    }

    tl::expected<LoadedSnapshot, std::string> load();

private:
    using Step = tl::expected<void, std::string>;
    /// `"id":value`, both as JSON.
    struct Row {
        std::string_view id;
        std::string_view value;
    };

    Step advance();
    Step expect(std::string_view text) const;
    tl::unexpected<std::string> damage(const std::string& what) const;

    Step read_header();
    Step read_rows(std::string_view title, Step (OwnSnapshot::*read)(const Row&));
    Step read_worker(const Row& row);
    Step read_task(const Row& row);
    Step skip_rows(std::string_view title);
    Step read_totals();
    Step read_checksum();
    Step restore_leases();

    tl::expected<Row, std::string> row() const;
    Step check_fields() const;
    Step check_id(const Row& row) const;
    Step check_ordinal(Revision ordinal);
    Step take_lease(const Task& task);
    Step read_messages();
    Step read_message(const Row& row);

    LineReader& lines_;
    const std::string& path_;
    StateStore& store_;
    RowReader reader_;
    Checksum checksum_; ///< of the lines before the present one
    LoadedSnapshot loaded_;
    RowFields fields_; ///< of the present line
    std::int64_t version_ = 0;
    Revision last_ordinal_ = 0;
    std::vector<Worker> workers_;
    std::unordered_map<std::string_view, std::size_t> worker_at_; ///< places in workers_
    std::vector<Assignment> leases_;
};

} // namespace coordination
