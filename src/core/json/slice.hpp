#pragma once

#include <tl/expected.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace coordination::json {

/// Where a text stops being JSON, and why.
struct Malformed {
    std::size_t offset; ///< bytes from the start
    std::string what;
    bool too_deep = false; ///< it may be well-formed
};

/// Checks that `text` is exactly one JSON value (RFC 8259, valid UTF-8), nested at most `depth_max` deep.
/// Boost.JSON's parser does it without building a tree; everything else in this header relies on it having
/// been done, and so can be a plain scan.
tl::expected<void, Malformed> validate(std::string_view text, std::size_t depth_max);

enum class Kind { object, array, string, number, boolean, null };

/// The kind of a valid value, by its first character.
Kind kind_of(std::string_view value) noexcept;

/// One `"key": value` of an object.
struct Member {
    std::string_view key;   ///< between the quotes, escapes not resolved
    std::string_view value; ///< without white space around it
    std::string_view whole; ///< from the key's quote to the value's end

    bool named(std::string_view name) const;
};

/// Walks over the members of a valid object, in order, without copying.
class Members {
public:
    explicit Members(std::string_view object) noexcept;
    std::optional<Member> next() noexcept;

private:
    std::string_view rest_;
};

/// Walks over the elements of a valid array.
class Elements {
public:
    explicit Elements(std::string_view array) noexcept;
    std::optional<std::string_view> next() noexcept;

private:
    std::string_view rest_;
};

/// The first member of that name in a valid object.
std::optional<Member> member_named(std::string_view object, std::string_view name);

/// The members of `object`, no braces around: those of `changes`, an object too, in place of the ones of the
/// same name, or else behind the others.
std::string amended(std::string_view object, std::string_view changes);

/// A valid string value (with its quotes) or key (without), escapes resolved.
std::string unquoted(std::string_view string_value);
std::string unescaped(std::string_view key);

/// A valid number as an integer; none where it is not one or does not fit.
std::optional<std::int64_t> integer_in(std::string_view number) noexcept;
std::optional<double> double_in(std::string_view number) noexcept;

/// Removes white space around a value.
std::string_view trimmed(std::string_view text) noexcept;

} // namespace coordination::json
