#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace coordination::bytes {

/// Writes a number over what is at `offset`, little-endian.
template <std::unsigned_integral Number>
void put(std::string& out, std::size_t offset, Number number)
{
    for (std::size_t i = 0; i < sizeof number; ++i)
        out[offset + i] = static_cast<char>(static_cast<std::uint8_t>(number >> (8 * i)));
}

template <std::unsigned_integral Number>
void append(std::string& out, Number number)
{
    out.resize(out.size() + sizeof number);
    put(out, out.size() - sizeof number, number);
}

/// `text` holds that many bytes behind `offset`.
template <std::unsigned_integral Number>
Number get(std::string_view text, std::size_t offset)
{
    Number number = 0;
    for (std::size_t i = 0; i < sizeof number; ++i)
        number |=
            static_cast<Number>(static_cast<Number>(static_cast<std::uint8_t>(text[offset + i])) << (8 * i));
    return number;
}

} // namespace coordination::bytes
