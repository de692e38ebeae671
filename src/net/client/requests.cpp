#include "net/client/requests.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include <boost/json/serialize.hpp>

namespace coordination::net_client {

namespace json = boost::json;

namespace {

/// For the closing brace, requestId, attempt and fence.
constexpr std::size_t ids_bytes_max = 100;

std::size_t merged_in(const Request& request)
{
    return std::max<std::size_t>(request.replies.size(), 1) - 1;
}

} // namespace

std::string body_of(const json::object& frame)
{
    auto body = json::serialize(frame);
    body.pop_back();
    return body;
}

tl::expected<void, CallError> Requests::has_room_for(std::string_view body,
                                                     std::optional<RequestId> instead_of) const
{
    const auto bytes = body.size() + ids_bytes_max;
    if (bytes > message_bytes_max_)
        return tl::unexpected(CallError{.kind = CallErrorKind::too_large,
                                        .message = "a message of " + std::to_string(bytes) +
                                                   " bytes is more than the " +
                                                   std::to_string(message_bytes_max_) + " that may be"});
    const auto* replaced = instead_of ? find(*instead_of) : nullptr;
    const auto others_bytes = bytes_ - (replaced ? replaced->body.size() : 0);
    if ((!replaced && calls() >= count_max_) || others_bytes + bytes > bytes_max_)
        return tl::unexpected(CallError{.kind = CallErrorKind::queue_full,
                                        .message = std::to_string(calls()) + " calls of " +
                                                   std::to_string(bytes_) +
                                                   " bytes wait for the daemon already"});
    return {};
}

RequestId Requests::add(Request request)
{
    bytes_ += request.body.size();
    merged_ += merged_in(request);
    waiting_.emplace(++last_, Waiting{.request = std::move(request)});
    return last_;
}

std::optional<Requests::Unsent> Requests::next_unsent() const
{
    auto entry = waiting_.lower_bound(unsent_from_);
    while (entry != waiting_.end() && entry->second.sent)
        ++entry;
    if (entry == waiting_.end())
        return std::nullopt;
    const auto& [id, waiting] = *entry;
    auto text = waiting.request.body + ",\"requestId\":" + std::to_string(id);
    if (const auto& lease = waiting.request.lease)
        text +=
            ",\"attempt\":" + std::to_string(lease->attempt) + ",\"fence\":" + std::to_string(lease->fence);
    text += '}';
    return Unsent{.id = id, .text = std::move(text)};
}

void Requests::mark_sent(RequestId id)
{
    unsent_from_ = id + 1;
    if (const auto entry = waiting_.find(id); entry != waiting_.end())
        entry->second.sent = true;
}

std::optional<Request> Requests::take(RequestId id)
{
    const auto entry = waiting_.find(id);
    if (entry == waiting_.end())
        return std::nullopt;
    return take(entry);
}

const Request* Requests::find(RequestId id) const
{
    const auto entry = waiting_.find(id);
    return entry == waiting_.end() ? nullptr : &entry->second.request;
}

bool Requests::under_way(RequestId id) const
{
    const auto entry = waiting_.find(id);
    return entry != waiting_.end() && entry->second.sent && !entry->second.delayed;
}

void Requests::delay(RequestId id)
{
    if (const auto entry = waiting_.find(id); entry != waiting_.end())
        entry->second.delayed = true;
}

void Requests::resume_delayed()
{
    for (auto& [id, waiting] : waiting_) {
        if (!std::exchange(waiting.delayed, false))
            continue;
        waiting.sent = false;
        unsent_from_ = std::min(unsent_from_, id);
    }
}

Request Requests::take(Table::iterator entry)
{
    bytes_ -= entry->second.request.body.size();
    merged_ -= merged_in(entry->second.request);
    auto request = std::move(entry->second.request);
    waiting_.erase(entry);
    return request;
}

template <class Condition>
std::vector<Request> Requests::take_if(Condition condition)
{
    std::vector<Request> taken;
    for (auto entry = waiting_.begin(); entry != waiting_.end();) {
        const auto next = std::next(entry);
        if (condition(std::as_const(entry->second)))
            taken.push_back(take(entry));
        entry = next;
    }
    return taken;
}

std::optional<RequestId> Requests::find_unsent_progress(const Lease& lease) const
{
    for (auto entry = waiting_.lower_bound(unsent_from_); entry != waiting_.end(); ++entry) {
        const auto& [request, sent, delayed] = entry->second;
        if (!sent && request.about == Request::About::progress && request.lease->same_attempt(lease))
            return entry->first;
    }
    return std::nullopt;
}

std::vector<Reply> Requests::take_surplus(Request& request) const
{
    const auto room = count_max_ > calls() ? count_max_ - calls() : 1;
    if (request.replies.size() <= room)
        return {};
    const auto first_kept = request.replies.end() - static_cast<std::ptrdiff_t>(room);
    std::vector<Reply> surplus(std::make_move_iterator(request.replies.begin()),
                               std::make_move_iterator(first_kept));
    request.replies.erase(request.replies.begin(), first_kept);
    return surplus;
}

std::vector<Request> Requests::take_progress(const Lease& lease)
{
    return take_if([&](const Waiting& waiting) {
        return waiting.request.about == Request::About::progress &&
               waiting.request.lease->same_attempt(lease);
    });
}

void Requests::adopt(const Lease& lease)
{
    for (auto& [id, waiting] : waiting_)
        if (auto& known = waiting.request.lease; known && known->same_attempt(lease))
            known->fence = lease.fence;
}

std::vector<Request> Requests::connection_lost()
{
    auto doubtful =
        take_if([](const Waiting& waiting) { return waiting.sent && !waiting.request.repeatable; });
    for (auto& [id, waiting] : waiting_)
        waiting.sent = waiting.delayed = false;
    unsent_from_ = 1;
    return doubtful;
}

std::vector<Request> Requests::take_all()
{
    return take_if([](const Waiting&) { return true; });
}

} // namespace coordination::net_client
