#pragma once

#include "support/temp_dir.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace coordination::testing {

using Arguments = std::vector<std::string>;
using Environment = std::map<std::string, std::string>;

/// How a process ended. `status` is the exit status, or 128 + the signal that killed it.
struct Ended {
    int status;
    std::string out;
    std::string err;
};

/// The real binary, in a folder of its own that is also its working directory, so that nothing it writes by
/// default lands in the source tree. Variables that begin with COORDINATION_ are not inherited.
///
/// The plain constructor adds `--port 0 --ws-port 0 --persistence memory-only` ahead of `args` and returns
/// when the daemon says that it listens. The destructor stops the daemon as an operator would, and fails the
/// test when that does not end in exit status 0: leaks and races that a sanitizer finds at the end count too.
class DaemonProcess {
public:
    explicit DaemonProcess(const Arguments& args = {}, const Environment& environment = {});

    /// In a folder that outlives it, with the persistence that `args` name; for restarts.
    DaemonProcess(const TempDir& folder, const Arguments& args, const Environment& environment = {});

    ~DaemonProcess();
    DaemonProcess(const DaemonProcess&) = delete;
    DaemonProcess& operator=(const DaemonProcess&) = delete;

    std::uint16_t http_port() const { return http_port_; }
    std::uint16_t ws_port() const { return ws_port_; }
    const std::string& ready_line() const { return ready_line_; }

    void signal(int number) const;
    Ended wait();
    Ended terminate(); ///< SIGTERM, then wait
    Ended kill();      ///< SIGKILL, then wait

    /// Runs the binary with exactly these arguments until it ends by itself.
    static Ended run(const Arguments& args, const Environment& environment = {});
    static Ended run(const TempDir& folder, const Arguments& args, const Environment& environment = {});

private:
    struct Started {};
    DaemonProcess(Started, const TempDir& folder, const Arguments& args, const Environment& environment);

    void start(const std::filesystem::path& folder, const Arguments& args, const Environment& environment);
    void await_ready();
    bool read_out(); ///< false at the end of its output
    std::string err() const;

    std::optional<TempDir> own_folder_;
    std::string err_path_;
    int pid_ = -1;
    int process_ = -1; ///< pidfd
    int out_ = -1;
    std::string out_text_;
    std::string ready_line_;
    std::uint16_t http_port_ = 0;
    std::uint16_t ws_port_ = 0;
};

} // namespace coordination::testing
