#include "cli/ctl/api.hpp"

#include <fmt/format.h>

#include "cli/ctl/json_text.hpp"
#include "net/client/parse_object.hpp"

namespace coordination::ctl {

namespace asio = boost::asio;
namespace http = boost::beast::http;
namespace json = boost::json;

namespace {

std::string percent_encoded(std::string_view text)
{
    std::string encoded;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                           std::string_view("-._~").find(c) != std::string_view::npos;
        if (plain)
            encoded += c;
        else
            encoded += fmt::format("%{:02X}", byte);
    }
    return encoded;
}

asio::awaitable<tl::expected<std::string, Failure>> call(ContextPtr context, http::verb method,
                                                         std::string target, std::string body)
{
    auto response = co_await context->http.request(method, std::move(target), std::move(body));
    if (!response)
        co_return tl::unexpected(unreachable(response.error(), context->settings.http, "http"));
    if (!response->ok())
        co_return tl::unexpected(refused(*response));
    co_return std::move(response->body);
}

} // namespace

std::string target_of(std::string_view path, const Query& query)
{
    std::string target(path);
    char separator = '?';
    for (const auto& [name, value] : query) {
        if (value.empty())
            continue;
        target += separator;
        target += fmt::format("{}={}", name, percent_encoded(value));
        separator = '&';
    }
    return target;
}

std::string target_of(std::string_view path, std::string_view segment)
{
    return fmt::format("{}/{}", path, percent_encoded(segment));
}

asio::awaitable<tl::expected<std::string, Failure>> get_text(ContextPtr context, std::string target)
{
    auto text = co_await call(std::move(context), http::verb::get, std::move(target), {});
    co_return text;
}

asio::awaitable<tl::expected<std::string, Failure>> post_text(ContextPtr context, std::string target,
                                                              json::object body)
{
    auto text = co_await call(std::move(context), http::verb::post, std::move(target), compact_json(body));
    co_return text;
}

asio::awaitable<tl::expected<json::object, Failure>> get(ContextPtr context, std::string target)
{
    const auto text = co_await get_text(context, std::move(target));
    if (!text)
        co_return tl::unexpected(text.error());
    co_return read_answer(*context, *text);
}

asio::awaitable<tl::expected<json::object, Failure>> post(ContextPtr context, std::string target,
                                                          json::object body)
{
    const auto text = co_await post_text(context, std::move(target), std::move(body));
    if (!text)
        co_return tl::unexpected(text.error());
    co_return read_answer(*context, *text);
}

Outcome show_answer(Context& context, const tl::expected<std::string, Failure>& text,
                    const std::function<void(const json::object&)>& show)
{
    if (!text)
        return tl::unexpected(text.error());
    if (context.settings.json) {
        context.out.json(*text);
        return {};
    }
    return read_answer(context, *text).map(show);
}

tl::expected<json::object, Failure> read_answer(const Context& context, std::string_view text)
{
    auto answer = net_client::parse_object(text);
    if (!answer)
        return tl::unexpected(
            Failure{.message = fmt::format("what answers at http://{} is no coordination daemon; set --url",
                                           context.settings.http.authority())});
    return std::move(*answer);
}

} // namespace coordination::ctl
