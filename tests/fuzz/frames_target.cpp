#include "fuzz/expect.hpp"
#include "fuzz/targets.hpp"

#include "net/ws/frame_reader.hpp"

#include <algorithm>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace coordination::testing {
namespace {

using ws::FrameReader;

constexpr std::size_t message_bytes_max = 256;

using Told = std::vector<std::pair<FrameReader::Found, std::string>>;

Told read(std::string_view bytes, std::size_t piece)
{
    FrameReader reader(message_bytes_max);
    Told told;
    std::string waiting;
    while (!bytes.empty()) {
        waiting += bytes.substr(0, piece);
        bytes.remove_prefix(std::min(piece, bytes.size()));
        for (;;) {
            const auto step = reader.next(std::span(waiting.data(), waiting.size()));
            expect(step.used <= waiting.size(), "no more is used than came");
            expect(step.payload.size() <= message_bytes_max, "a message is within its bound");
            if (step.found != FrameReader::Found::nothing)
                told.emplace_back(step.found, step.payload);
            if (step.found == FrameReader::Found::failure)
                return told;
            if (step.found == FrameReader::Found::nothing && step.used == 0)
                break;
            waiting.erase(0, step.used);
        }
    }
    return told;
}

} // namespace

void read_any_frames(std::string_view input)
{
    if (input.empty())
        return;
    const std::size_t piece = 1 + static_cast<unsigned char>(input.front()) % 32;
    const auto bytes = input.substr(1);
    expect(read(bytes, piece) == read(bytes, std::max<std::size_t>(bytes.size(), 1)),
           "what is found does not depend on how it came");
}

} // namespace coordination::testing
