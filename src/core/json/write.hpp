#pragma once

#include <charconv>
#include <concepts>
#include <string>
#include <string_view>

namespace coordination::json {

/// Appends `text` as a JSON string, quotes included.
void append_string(std::string& out, std::string_view text);

template <std::integral Integer>
void append_integer(std::string& out, Integer value)
{
    char digits[24];
    const auto [end, failure] = std::to_chars(digits, digits + sizeof digits, value);
    out.append(digits, end);
}

/// Appends a finite number with at most three decimals: what a latency or a rate needs.
void append_decimal(std::string& out, double value);

/// Writes the members of one object by appending: no tree, no copy of the values.
///
/// Ownership  Keeps a reference to `out`, which must outlive it.
class ObjectWriter {
public:
    explicit ObjectWriter(std::string& out) : out_(out) { out_ += '{'; }

    /// A value that is JSON already.
    ObjectWriter& raw(std::string_view key, std::string_view value)
    {
        name(key);
        out_ += value;
        return *this;
    }
    ObjectWriter& string(std::string_view key, std::string_view value)
    {
        name(key);
        append_string(out_, value);
        return *this;
    }
    template <std::integral Integer>
    ObjectWriter& number(std::string_view key, Integer value)
    {
        name(key);
        append_integer(out_, value);
        return *this;
    }
    ObjectWriter& decimal(std::string_view key, double value)
    {
        name(key);
        append_decimal(out_, value);
        return *this;
    }
    ObjectWriter& boolean(std::string_view key, bool value) { return raw(key, value ? "true" : "false"); }
    /// Members that are JSON already, with commas between, none around.
    ObjectWriter& members(std::string_view text)
    {
        if (text.empty())
            return *this;
        comma();
        out_ += text;
        return *this;
    }
    /// Writes the key; the caller appends the value to the same string.
    void name(std::string_view key)
    {
        comma();
        out_ += '"';
        out_ += key; // our own names: nothing to escape
        out_ += "\":";
    }
    void close() { out_ += '}'; }
    /// Where all this goes, for a value after name().
    std::string& text() noexcept { return out_; }

private:
    void comma()
    {
        if (!first_)
            out_ += ',';
        first_ = false;
    }

    std::string& out_;
    bool first_ = true;
};

} // namespace coordination::json
