#include "net/http/exchange.hpp"

#include <utility>

namespace coordination {

namespace asio = boost::asio;

void ResponseWriter::whole(const Response& response)
{
    begun_ = true;
    socket_.write(response_head(response, form_, response.body.size()));
    if (form_.body_wanted)
        socket_.write(response.body);
}

asio::awaitable<bool> ResponseWriter::piece(std::string_view body, bool last)
{
    if (!begun_ && last) {
        whole({.body = std::string(body)});
    } else {
        if (!std::exchange(begun_, true)) {
            form_.keep_alive = form_.keep_alive && form_.http11; // HTTP/1.0 ends a body by closing
            socket_.write(response_head({}, form_, std::nullopt));
        }
        if (!form_.body_wanted)
            co_return false;
        if (form_.http11)
            socket_.write(chunk(body, last));
        else
            socket_.write(body);
    }
    const auto error = co_await socket_.room();
    co_return !error;
}

void Exchange::answer(const Response& response)
{
    head = response_head(response, form, response.body.size());
    if (form.body_wanted)
        body = response.body;
    ready.store(true, std::memory_order_release);
}

void HttpCall::render(const Result& result, const StateStore& state, const ReplyContext& context)
{
    auto response = render_(result, state, context);
    exchange_->head = response_head(response, exchange_->form, response.body.size());
    if (exchange_->form.body_wanted)
        exchange_->body = std::move(response.body);
}

void HttpCall::deliver()
{
    exchange_->ready.store(true, std::memory_order_release);
    writer_->notify();
}

} // namespace coordination
