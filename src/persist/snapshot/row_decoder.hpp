#pragma once

#include "core/schedule/capabilities.hpp"
#include "core/store/records.hpp"
#include "persist/snapshot/row_fields.hpp"

#include <string>
#include <string_view>
#include <unordered_map>

namespace coordination {

/// Makes rows of what was saved of them, as far as both formats tell the same. Equal worker ids and
/// capability sets share one buffer, as they do in a live state.
class RowDecoder {
public:
    explicit RowDecoder(CapabilityInterner& interner) : interner_(interner) {}

    /// Offline: whoever is there connects again.
    Worker worker(RowFields& fields, Text id);
    /// Without payload, priority and requirements.
    Task task(RowFields& fields, Text id, TaskStatus status);

    WorkerId worker_id(const std::string& id);
    Capabilities capabilities(RowFields& fields);

private:
    static constexpr std::size_t sets_max = 4096;

    CapabilityInterner& interner_;
    std::unordered_map<std::string_view, WorkerId> ids_; ///< keys point into the values
    std::unordered_map<std::string, Capabilities> sets_; ///< by the JSON array
};

} // namespace coordination
