#pragma once

#include <memory>
#include <string>
#include <string_view>

struct XXH3_state_s;

namespace coordination {

/// XXH3 with 64 bits over bytes that come in pieces. Finds damage; does not keep out who means harm.
class Checksum {
public:
    Checksum();

    void add(std::string_view bytes) noexcept;
    /// Of all bytes so far: `xxh3:` and 16 hexadecimal digits.
    std::string text() const;

private:
    struct Release {
        void operator()(XXH3_state_s* state) const noexcept;
    };
    std::unique_ptr<XXH3_state_s, Release> state_;
};

} // namespace coordination
