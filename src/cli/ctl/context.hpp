#pragma once

#include <memory>
#include <string>

#include <boost/asio/any_io_executor.hpp>

#include "cli/ctl/output.hpp"
#include "net/client/connect.hpp"
#include "net/client/http_client.hpp"

namespace coordination::ctl {

/// What holds for every command.
struct Settings {
    Endpoint http;
    Endpoint ws;
    std::string token;
    bool json = false;
};

/// The world as a command sees it.
struct Context {
    Context(const boost::asio::any_io_executor& io, Settings chosen)
        : executor(io),
          settings(std::move(chosen)),
          out(stdout),
          err(stderr),
          http(io, ClientOptions{.endpoint = settings.http, .token = settings.token})
    {
    }

    ClientOptions ws_options() const { return {.endpoint = settings.ws, .token = settings.token}; }

    boost::asio::any_io_executor executor;
    Settings settings;
    Output out;
    Output err;
    HttpClient http;
};

/// Shared, since coroutines take their parameters by value.
using ContextPtr = std::shared_ptr<Context>;

} // namespace coordination::ctl
