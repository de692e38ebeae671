#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/object.hpp>
#include <tl/expected.hpp>

#include "net/client/call_error.hpp"
#include "net/client/lease.hpp"
#include "net/client/reply.hpp"

namespace coordination::net_client {

/// A message that the daemon is to answer.
struct Request {
    enum class About {
        call,         ///< nothing that the client itself must know of
        progress,     ///< of the task of `lease`
        ending,       ///< likewise
        held_task,    ///< a task that the daemon says we hold
        subscription, ///< to changes of the state
        resumption,   ///< the same, after a connection was lost
    };

    About about = About::call;
    std::string body; ///< by body_of(): without `requestId`, `attempt` and `fence`
    std::optional<Lease> lease = std::nullopt;
    bool repeatable =
        true; ///< twice does no harm: it is sent again when a connection was lost before the answer
    bool is_last_word = false; ///< where an ending was refused already
    std::vector<Reply> replies = {};
};

/// The frame as text that more can be added to.
std::string body_of(const boost::json::object& frame);

using RequestId = std::uint64_t;

/// The requests that have no answer yet, in the order in which they were made, which is also the order in
/// which they are sent, on a first connection as on those that follow.
///
/// Bounds   `count_max` calls and `bytes_max`, beyond which nothing more is taken; `message_bytes_max` for each.
class Requests {
public:
    Requests(std::size_t count_max, std::size_t bytes_max, std::size_t message_bytes_max)
        : count_max_(count_max),
          bytes_max_(bytes_max),
          message_bytes_max_(message_bytes_max)
    {
    }

    /// Whether add() would take it: else queue_full or too_large.
    /// `instead_of`: one that waits, and is to be taken out for it.
    tl::expected<void, CallError> has_room_for(std::string_view body,
                                               std::optional<RequestId> instead_of = std::nullopt) const;

    /// Takes it whether there is room or not: for what must not be dropped, and is bounded otherwise.
    RequestId add(Request request);

    /// The next that this connection has not sent, as text; none: all are under way.
    struct Unsent {
        RequestId id;
        std::string text;
    };
    std::optional<Unsent> next_unsent() const;
    void mark_sent(RequestId id);

    /// It was answered: taken out.
    std::optional<Request> take(RequestId id);
    const Request* find(RequestId id) const;
    /// Whether this connection has sent it, and its answer is still to come.
    bool under_way(RequestId id) const;
    /// The daemon cannot take it now: it is unsent again after resume_delayed().
    void delay(RequestId id);
    void resume_delayed();

    /// The unsent progress of an attempt, for a newer one to take its place.
    std::optional<RequestId> find_unsent_progress(const Lease& lease) const;
    /// For one that is to be added: whoever waits there beyond `count_max` calls in all, the longest first.
    std::vector<Reply> take_surplus(Request& request) const;
    /// Takes out all progress of an attempt.
    std::vector<Request> take_progress(const Lease& lease);
    /// The same attempt was told with another fence.
    void adopt(const Lease& lease);

    /// All are unsent again. Those that must not be sent twice, and were sent, are taken out.
    std::vector<Request> connection_lost();
    std::vector<Request> take_all();

    std::size_t count() const { return waiting_.size(); }
    /// How many calls wait for them: several may for the same progress.
    std::size_t calls() const { return waiting_.size() + merged_; }
    std::size_t bytes() const { return bytes_; }

private:
    struct Waiting {
        Request request;
        bool sent = false;
        bool delayed = false;
    };
    using Table = std::map<RequestId, Waiting>;

    template <class Condition>
    std::vector<Request> take_if(Condition condition);
    Request take(Table::iterator entry);

    std::size_t count_max_;
    std::size_t bytes_max_;
    std::size_t message_bytes_max_;
    std::size_t bytes_ = 0;
    std::size_t merged_ = 0; ///< replies of all requests, beyond the first of each
    RequestId last_ = 0;
    RequestId unsent_from_ = 1; ///< all before it are sent, or gone
    Table waiting_;
};

} // namespace coordination::net_client
