#include "fuzz/expect.hpp"
#include "fuzz/targets.hpp"

#include "core/random_calls.hpp"
#include "persist/faulty_disk.hpp"
#include "persist/wal/inspect.hpp"
#include "persist/wal/recover.hpp"

#include <algorithm>

namespace coordination::testing {
namespace {

const StatePaths paths{"data/state-snapshot.json", "data/wal.log"};

std::uint8_t take_byte(std::string_view& input)
{
    const auto byte = input.empty() ? 0 : static_cast<std::uint8_t>(input.front());
    input.remove_prefix(std::min<std::size_t>(input.size(), 1));
    return static_cast<std::uint8_t>(byte);
}

std::string_view take_bytes(std::string_view& input)
{
    const std::size_t length = take_byte(input) * 256U + take_byte(input);
    const auto bytes = input.substr(0, length);
    input.remove_prefix(bytes.size());
    return bytes;
}

/// Makes segments of a script: commands of one byte, some with two bytes of length and as many bytes.
///
///     R length bytes   a record with this payload, of the revisions that follow
///     J length bytes   the bytes as they are
///     S n              the next segment, from n revisions before the present one on
///     other            revisions jump by as many
class Script {
public:
    explicit Script(std::string_view input) { run(input); }

    void put_on(FaultyDisk& disk) const
    {
        for (std::size_t i = 0; i < segments_.size(); ++i)
            disk.put(segment_path(paths.log, i + 1), segments_[i]);
    }

private:
    void run(std::string_view input)
    {
        begin_segment(0);
        while (!input.empty()) {
            const auto command = take_byte(input);
            if (command == 'R')
                add_record(take_bytes(input));
            else if (command == 'J')
                segments_.back() += take_bytes(input);
            else if (command == 'S' && segments_.size() < 8)
                begin_segment(take_byte(input));
            else
                revision_ += command;
        }
    }

    void begin_segment(Revision back)
    {
        const auto from = revision_ - std::min(revision_, back);
        append_header(segments_.emplace_back(), {segments_.size(), from, from, back % 2 == 0});
        revision_ = from;
    }

    void add_record(std::string_view payload)
    {
        const auto first = revision_ + 1;
        revision_ += 1 + payload.size() % 5;
        std::string record;
        begin_record(record, first, revision_);
        record += payload;
        end_record(record, 0);
        seal_records(record, first - 1);
        segments_.back() += record;
    }

    std::vector<std::string> segments_;
    Revision revision_ = 0;
};

} // namespace

void read_any_log(std::string_view input)
{
    FaultyDisk disk;
    Script(input).put_on(disk);
    const auto inspection = inspect_state(disk, paths, Limits{}, [](const Sight&) {});

    StateStore store(Limits{});
    const auto recovered = recover_state(disk, paths, Limits{}, store);
    expect(recovered.has_value() == inspection.fault.empty(), "a start agrees with what verify says");
    if (recovered) {
        expect(recount(store, Limits{}).empty(), "the indexes of a recovered state are right");
        StateStore again(Limits{});
        const auto second = recover_state(disk, paths, Limits{}, again);
        expect(second && dump(again) == dump(store), "a second start finds the same");
        expect(!second->recovery.tail_cut, "a tail is cut once");
        return;
    }
    expect(recovered.error().find('\n') == std::string::npos, "a refusal is one line");
    if (repair_state(disk, paths, Limits{})) {
        StateStore repaired(Limits{});
        expect(recover_state(disk, paths, Limits{}, repaired).has_value(),
               "a repaired state can be started on");
        expect(recount(repaired, Limits{}).empty(), "the indexes of a repaired state are right");
    }
}

} // namespace coordination::testing
