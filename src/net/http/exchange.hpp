#pragma once

#include "net/connection/corked_socket.hpp"
#include "net/connection/wakeup.hpp"
#include "net/coordinator.hpp"
#include "net/http/response.hpp"

#include <boost/asio/awaitable.hpp>

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

namespace coordination {

/// Sends one answer whose body comes in pieces. Small ones go out whole, others in chunks.
///
/// Threads  The connection's strand.
class ResponseWriter {
public:
    ResponseWriter(CorkedSocket& socket, ResponseForm& form) noexcept : socket_(socket), form_(form) {}

    void whole(const Response& response);
    /// False when the peer is gone: there is no use in going on. Waits while much is unsent.
    boost::asio::awaitable<bool> piece(std::string_view body, bool last);

private:
    CorkedSocket& socket_;
    ResponseForm& form_;
    bool begun_ = false;
};

/// Writes the answer from the state, on the store's strand.
using Render = std::function<Response(const Result&, const StateStore&, const ReplyContext&)>;
/// Writes it piece by piece, in its turn. The writer outlives the coroutine, the callable need not.
using Produce = std::function<boost::asio::awaitable<void>(ResponseWriter*)>;

/// What a route makes of a request: an answer, a call that will be answered, or an answer in pieces.
struct Ask {
    Action action;
    Render render;
};
using Answer = std::variant<Response, Ask, Produce>;

/// One request that is being answered. Answers go out in the order of the requests.
struct Exchange {
    ResponseForm form;
    std::size_t request_bytes = 0;
    std::string head;
    std::string body;
    Produce produce;
    std::atomic<bool> ready = false;     ///< head and body, or produce, are set
    std::atomic<bool> abandoned = false; ///< the peer has gone

    void answer(const Response& response);
};

/// A request on its way through the coordinator.
class HttpCall final : public Call {
public:
    HttpCall(std::shared_ptr<Exchange> exchange, Render render, std::shared_ptr<Wakeup> writer) noexcept
        : exchange_(std::move(exchange)),
          render_(std::move(render)),
          writer_(std::move(writer))
    {
    }

    void render(const Result& result, const StateStore& state, const ReplyContext& context) override;
    void deliver() override;
    bool abandoned() const noexcept override { return exchange_->abandoned.load(std::memory_order_relaxed); }

private:
    std::shared_ptr<Exchange> exchange_;
    Render render_;
    std::shared_ptr<Wakeup> writer_;
};

} // namespace coordination
