#pragma once

#include "core/bus/message.hpp"
#include "core/store/records.hpp"
#include "persist/snapshot/row_decoder.hpp"

#include <tl/expected.hpp>

#include <string>
#include <string_view>

namespace coordination {

/// Reads rows as append_row() writes them. Takes any text: what is no such row is refused, in a few words
/// that say what is wrong. Whether a row fits the others is for the caller to check.
class RowReader {
public:
    explicit RowReader(CapabilityInterner& interner) : decoder_(interner) {}

    /// Offline: whoever is there connects again.
    tl::expected<Worker, std::string> worker(std::string_view object);
    tl::expected<Task, std::string> task(std::string_view object);
    tl::expected<BusMessage, std::string> message(std::string_view object);

private:
    /// Sets the fields out, all but the payload of a task, which it returns; with the id first.
    tl::expected<std::string_view, std::string> take_apart(std::string_view object, bool with_payload);
    void read_hidden(std::string_view object);
    tl::expected<void, std::string> check() const;
    tl::expected<void, std::string> read_life(Task& task);
    tl::expected<void, std::string> read_body(BusMessage& message);
    tl::expected<void, std::string> read_past(std::string_view array, Task& task);

    RowDecoder decoder_;
    std::string_view id_; ///< of the present row, with its quotes
    RowFields fields_;
    RowFields hidden_;
    std::string steering_; ///< the fields that tell how the task is to be treated, as JSON members
};

} // namespace coordination
