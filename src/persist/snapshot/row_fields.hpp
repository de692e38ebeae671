#pragma once

#include "core/text.hpp"
#include "core/types.hpp"

#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace coordination {

/// The members of one saved row that the daemon owns, by name. What is missing is empty or zero; what is
/// there and of the wrong kind is noted, and reads as empty or zero too.
class RowFields {
public:
    void clear() noexcept
    {
        fields_.clear();
        wrong_ = {};
    }
    /// `value`: valid JSON. Both must outlive the row's reading.
    void add(std::string_view name, std::string_view value) { fields_.emplace_back(name, value); }

    // `name` outlives the object: it is what wrong() tells.
    /// The last value of that name, as JSON; empty: none.
    std::string_view raw(std::string_view name) const noexcept;
    std::string string(std::string_view name);
    bool flag(std::string_view name);
    std::vector<std::string> strings(std::string_view name);
    /// Milliseconds since the epoch, or a date as ISO 8601 writes it.
    Timestamp time(std::string_view name);
    template <class Unsigned>
    Unsigned number(std::string_view name)
    {
        return static_cast<Unsigned>(number_up_to(name, std::numeric_limits<Unsigned>::max()));
    }

    /// The name of a field of the wrong kind; empty: none is.
    std::string_view wrong() const noexcept { return wrong_; }

private:
    /// The same, null counting as none.
    std::string_view value(std::string_view name) const noexcept;
    std::uint64_t number_up_to(std::string_view name, std::uint64_t most);

    std::vector<std::pair<std::string_view, std::string_view>>
        fields_; ///< a dozen: looked through, not hashed
    std::string_view wrong_;
};

/// A JSON string (with its quotes), escapes resolved.
Text text_of(std::string_view string_value);

/// A time as the two daemons have written it; none where it is neither.
std::optional<Timestamp> time_in(std::string_view value);

} // namespace coordination
