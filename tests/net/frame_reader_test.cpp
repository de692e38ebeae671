#include "net/ws/frame_reader.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <vector>

using namespace coordination;
using ws::CloseCode;
using ws::FrameReader;
using Found = FrameReader::Found;

namespace {

constexpr std::size_t message_bytes_max = 1000;

struct Told {
    Found found;
    std::string payload;
    CloseCode code;
    bool operator==(const Told&) const = default;
};

/// As a client sends it.
std::string frame(unsigned char first, std::string_view payload, std::uint32_t mask = 0x1B2C3D4E)
{
    std::string out(1, static_cast<char>(first));
    if (payload.size() < 126) {
        out += static_cast<char>(0x80U | payload.size());
    } else if (payload.size() <= 0xFFFF) {
        out += static_cast<char>(0xFE);
        out += static_cast<char>(payload.size() >> 8U);
        out += static_cast<char>(payload.size() & 0xFFU);
    } else {
        out += static_cast<char>(0xFF);
        for (unsigned shift = 64; shift > 0; shift -= 8)
            out += static_cast<char>((static_cast<std::uint64_t>(payload.size()) >> (shift - 8)) & 0xFFU);
    }
    char key[4];
    for (unsigned i = 0; i < 4; ++i)
        out += key[i] = static_cast<char>(mask >> (8 * i));
    for (std::size_t i = 0; i < payload.size(); ++i)
        out += static_cast<char>(payload[i] ^ key[i % 4]);
    return out;
}

std::string text(std::string_view payload)
{
    return frame(0x81, payload);
}

/// Everything that is found where the bytes come in pieces of these sizes, the last one again and again.
std::vector<Told> read(std::string bytes, const std::vector<std::size_t>& pieces)
{
    FrameReader reader(message_bytes_max);
    std::vector<Told> told;
    std::string waiting;
    std::size_t piece = 0;
    for (std::size_t at = 0; at < bytes.size();) {
        const auto size = std::min(pieces[std::min(piece++, pieces.size() - 1)], bytes.size() - at);
        waiting.append(bytes, at, size);
        at += size;
        for (;;) {
            const auto step = reader.next(std::span(waiting.data(), waiting.size()));
            if (step.found != Found::nothing)
                told.push_back({step.found, std::string(step.payload), step.code});
            if (step.found == Found::failure)
                return told;
            if (step.found == Found::nothing && step.used == 0)
                break;
            waiting.erase(0, step.used);
        }
    }
    return told;
}

std::vector<Told> read_whole(const std::string& bytes)
{
    return read(bytes, {bytes.size()});
}

Told failure(CloseCode code)
{
    return {Found::failure, "", code};
}

Told message(std::string payload)
{
    return {Found::text, std::move(payload), CloseCode::no_status};
}

} // namespace

SCENARIO("a client's frames are cut into messages, however the network cuts them", "[ws]")
{
    const char* given = std::getenv("COORD_SEED");
    const std::uint64_t seed = given ? std::strtoull(given, nullptr, 10) : std::random_device{}();
    INFO("COORD_SEED=" << seed);
    std::mt19937_64 random(seed);
    const auto any = [&](std::size_t below) { return static_cast<std::size_t>(random() % below); };

    for (int round = 0; round < 500; ++round) {
        std::string bytes;
        std::vector<Told> expected;
        for (std::size_t n = 0; n < 5; ++n) {
            std::string payload(any(3) == 0 ? any(message_bytes_max + 1) : any(20), ' ');
            for (auto& c : payload)
                c = static_cast<char>('a' + any(26));
            const std::size_t fragments = 1 + any(4);
            std::size_t sent = 0;
            for (std::size_t f = 0; f < fragments; ++f) {
                const bool last = f + 1 == fragments;
                const auto size = last ? payload.size() - sent : any(payload.size() - sent + 1);
                const unsigned char first =
                    static_cast<unsigned char>((last ? 0x80 : 0) | (f == 0 ? 0x1 : 0x0));
                bytes += frame(first, std::string_view(payload).substr(sent, size),
                               static_cast<std::uint32_t>(random()));
                sent += size;
                if (last)
                    expected.push_back(message(payload));
                if (any(3) == 0) { // between fragments too
                    bytes += frame(0x89, "are you there");
                    expected.push_back({Found::ping, "are you there", CloseCode::no_status});
                }
            }
        }
        std::vector<std::size_t> pieces;
        for (int i = 0; i < 50; ++i)
            pieces.push_back(1 + any(60));
        pieces.push_back(1 + any(2000));
        REQUIRE(read(bytes, pieces) == expected);
        REQUIRE(read_whole(bytes) == expected);
        REQUIRE(read(bytes, {1}) == expected);
    }
}

SCENARIO("what breaks the protocol or a limit ends the connection with the code for it", "[ws]")
{
    CHECK(read_whole(text("ok") + "\x81\x02hi") ==
          std::vector{message("ok"), failure(CloseCode::protocol_error)});                  // unmasked
    CHECK(read_whole(frame(0xC1, "x")) == std::vector{failure(CloseCode::protocol_error)}); // a reserved bit
    CHECK(read_whole(frame(0x83, "x")) ==
          std::vector{failure(CloseCode::protocol_error)}); // a reserved opcode
    CHECK(read_whole(frame(0x8B, "x")) == std::vector{failure(CloseCode::protocol_error)});
    CHECK(read_whole(frame(0x80, "x")) ==
          std::vector{failure(CloseCode::protocol_error)}); // continues nothing
    CHECK(read_whole(frame(0x01, "x") + text("y")) ==
          std::vector{failure(CloseCode::protocol_error)}); // nor is continued
    CHECK(read_whole(frame(0x09, "x")) ==
          std::vector{failure(CloseCode::protocol_error)}); // a control frame in parts
    CHECK(read_whole(frame(0x89, std::string(126, 'x'))) == std::vector{failure(CloseCode::protocol_error)});
    CHECK(read_whole(frame(0x82, "x")) == std::vector{failure(CloseCode::unknown_data)}); // binary
    CHECK(read_whole(text("\xC3\x28")) == std::vector{failure(CloseCode::bad_payload)});
    CHECK(read_whole(text("\xED\xA0\x80")) == std::vector{failure(CloseCode::bad_payload)}); // a surrogate
    CHECK(read_whole(text("\xC3")) == std::vector{failure(CloseCode::bad_payload)});         // cut off
    CHECK(read_whole(frame(0x01, "\xC3") + frame(0x80, "\xA4")) == std::vector{message("\xC3\xA4")});
    CHECK(read_whole(text(std::string(message_bytes_max, 'x'))) ==
          std::vector{message(std::string(message_bytes_max, 'x'))});
    CHECK(read_whole(text(std::string(message_bytes_max + 1, 'x'))) ==
          std::vector{failure(CloseCode::too_big)});
    CHECK(read_whole(frame(0x01, std::string(message_bytes_max, 'x')) + frame(0x80, "x")) ==
          std::vector{failure(CloseCode::too_big)});
}

SCENARIO("a length must be told in the shortest form", "[ws]")
{
    using namespace std::string_literals;
    const auto masked = "\0\0\0\0"s + std::string(126, 'x');
    CHECK(read_whole("\x81\xFE\x00\x7D"s + masked) == std::vector{failure(CloseCode::protocol_error)});
    CHECK(read_whole("\x81\xFE\x00\x7E"s + masked) == std::vector{message(std::string(126, 'x'))});
    CHECK(read_whole("\x81\xFF\x00\x00\x00\x00\x00\x00\x00\x7E"s + masked) ==
          std::vector{failure(CloseCode::protocol_error)});
    CHECK(read_whole("\x81\xFF\x00\x00\x00\x00\x00\x00\xFF\xFF"s + masked) ==
          std::vector{failure(CloseCode::protocol_error)});
    CHECK(read_whole("\x81\xFF\x00\x00\x00\x00\x00\x01\x00\x00"s + masked) ==
          std::vector{failure(CloseCode::too_big)}); // the form is right
}

SCENARIO("a length that no memory could hold is refused when its header is there", "[ws]")
{
    CHECK(read_whole("\x81\xFF\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF"
                     "mask") == std::vector{failure(CloseCode::too_big)});
}

SCENARIO("a close frame tells why, or nothing", "[ws]")
{
    using namespace std::string_literals;
    CHECK(read_whole(frame(0x88, "")) == std::vector{Told{Found::close, "", CloseCode::no_status}});
    CHECK(read_whole(frame(0x88, "\x03\xE9"
                                 "bye")) == std::vector{Told{Found::close, "bye", CloseCode::going_away}});
    CHECK(read_whole(frame(0x88, "\x0F\xA0"s)) ==
          std::vector{Told{Found::close, "", static_cast<CloseCode>(4000)}});
    CHECK(read_whole(frame(0x88, "\x03"s)) == std::vector{failure(CloseCode::protocol_error)}); // half a code
    CHECK(read_whole(frame(0x88, "\x03\xED"s)) == std::vector{failure(CloseCode::protocol_error)}); // 1005
    CHECK(read_whole(frame(0x88, "\x03\xE9\xFF"s)) == std::vector{failure(CloseCode::bad_payload)});
}
