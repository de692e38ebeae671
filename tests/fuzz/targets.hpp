#pragma once

#include <string_view>

namespace coordination::testing {

// What a reader of files, or of the network, must hold for any bytes whatsoever. Each aborts, with a word on standard error,
// where it does not. The fuzzer calls them, and an ordinary test with what the fuzzer once found worth
// keeping.

/// A log. The input is a script for it, so that more than broken checksums is met: see log_target.cpp.
void read_any_log(std::string_view input);

/// A snapshot, ours or the original daemon's. Where the first byte is `s`, the rest is sealed with a checksum
/// that fits.
void read_any_snapshot(std::string_view input);

/// What a WebSocket client sends; the first byte tells in pieces of what size it comes.
void read_any_frames(std::string_view input);

} // namespace coordination::testing
