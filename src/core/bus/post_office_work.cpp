#include "core/bus/post_office.hpp"

#include <algorithm>
#include <utility>

/// What a post office hands out, and what time does to it.
namespace coordination {
namespace {

constexpr std::uint32_t doublings_max = 6;

} // namespace

std::optional<SessionId> PostOffice::ready() const noexcept
{
    return ready_.empty() ? std::nullopt : std::optional(ready_.front());
}

/// There may be something for it.
void PostOffice::stir(SessionId session)
{
    const auto entry = connections_.find(session);
    if (entry == connections_.end() || entry->second.resting || entry->second.ready)
        return;
    entry->second.ready = true;
    ready_.push_back(session);
}

void PostOffice::wake(SessionId session)
{
    const auto entry = connections_.find(session);
    if (entry == connections_.end())
        return;
    entry->second.resting = false;
    stir(session);
}

void PostOffice::rest(SessionId session)
{
    connections_.at(session).resting = true;
    unready(session);
}

/// As a rule it is the one that was just served: the first.
void PostOffice::unready(SessionId session)
{
    auto& connection = connections_.at(session);
    if (std::exchange(connection.ready, false))
        ready_.erase(std::ranges::find(ready_, session));
}

void PostOffice::yield(SessionId session)
{
    ready_.erase(std::ranges::find(ready_, session));
    ready_.push_back(session);
}

std::optional<PostOffice::Handout> PostOffice::next(SessionId session, Timestamp now)
{
    const auto& connection = connections_.at(session);
    MailboxId from = 0;
    std::optional<ParcelRank> best;
    for (const auto id : {connection.worker, connection.own}) {
        const Mailbox* mailbox = find(id);
        if (!mailbox || mailbox->in_flight().size() >= limits_.bus.in_flight_max)
            continue;
        const auto rank = mailbox->best(limits_.aging, now);
        if (rank && (!best || *rank < *best)) {
            best = rank;
            from = id;
        }
    }
    if (!best) {
        unready(session);
        return std::nullopt;
    }
    return hand_out(from, best->number, now);
}

PostOffice::Handout PostOffice::hand_out(MailboxId id, PostNumber number, Timestamp now)
{
    auto& mailbox = *find(id);
    auto& parcel = *mailbox.find(number);
    const auto posted = posted_.find(number);
    const Handout handout{.post = parcel.post,
                          .attempt = ++parcel.sent,
                          .shared = posted == posted_.end() ? letter_boxes_.size() > 1
                                                            : posted->second.at.size() > 1};
    ++counters_.sent;
    if (handout.attempt == 1) {
        const auto waited = std::max(now - handout.post->message.published_at, std::chrono::milliseconds{0});
        counters_.latency_us.add(static_cast<std::uint64_t>(std::chrono::microseconds(waited).count()));
    } else {
        ++counters_.retried;
    }
    if (handout.post->guarded()) {
        const auto doublings = std::min(parcel.overdue, doublings_max);
        fly(id, number, now + limits_.bus.ack_timeout * (1U << doublings));
    } else {
        ++counters_.delivered; // as far as anybody will know
        settle(id, number);
        tidy(id);
    }
    return handout;
}

/// It is in flight until `due`, or was already and stays so.
void PostOffice::fly(MailboxId id, PostNumber number, Timestamp due)
{
    auto& parcel = find(id)->begin_flight(number);
    parcel.due = due;
    flights_.emplace(due, number, id);
}

/// One command for all that are to be buried of a message, so that one dead letter tells of them.
void PostOffice::bury(const Mailbox& mailbox, const PostPtr& post, std::string_view reason, Burials& burials)
{
    auto burial = std::ranges::find_if(burials, [&](const BuryMessage& known) {
        return known.post == post && !known.everyone && known.reason == reason;
    });
    if (burial == burials.end())
        burial = burials.insert(burials.end(), BuryMessage{.post = post, .reason = reason});
    if (mailbox.worker.empty())
        burial->sockets.push_back(mailbox.session);
    else
        burial->receivers.push_back(mailbox.worker);
}

std::vector<BuryMessage> PostOffice::due(Timestamp now, std::size_t most)
{
    Burials burials;
    auto budget = most;
    empty_gone(now, budget, burials);
    return_overdue(now, budget, burials);
    end_expired(now, budget, &burials);
    return burials;
}

void PostOffice::drop_expired(Timestamp now, std::size_t most)
{
    end_expired(now, most, nullptr);
}

void PostOffice::empty_gone(Timestamp now, std::size_t& budget, Burials& burials)
{
    for (; !gone_.empty() && budget > 0; --budget) {
        const auto id = gone_.front();
        const Mailbox* mailbox = find(id);
        if (!mailbox || !mailbox->gone || mailbox->size() == mailbox->in_flight().size())
            gone_.pop_front();
        else
            bury_one_of_gone(id, *mailbox, now, burials);
    }
    for (; !abandoned_.empty() && budget > 0; --budget) {
        const auto id = abandoned_.front();
        if (const auto number = find(id)->any()) {
            settle(id, *number);
        } else {
            mailboxes_.erase(id);
            abandoned_.pop_front();
        }
    }
}

void PostOffice::bury_one_of_gone(MailboxId id, const Mailbox& mailbox, Timestamp now, Burials& burials)
{
    const auto number = mailbox.best(limits_.aging, now)->number;
    const auto post = find(id)->find(number)->post;
    if (post->guarded()) {
        bury(mailbox, post, "WORKER_UNREGISTERED", burials);
        fly(id, number, now + limits_.bus.ack_timeout); // should it be refused
    } else {
        ++counters_.dropped;
        settle(id, number);
        tidy(id);
    }
}

void PostOffice::return_overdue(Timestamp now, std::size_t& budget, Burials& burials)
{
    for (; budget > 0 && !flights_.empty(); --budget) {
        const auto [due, number, id] = *flights_.begin();
        if (due > now)
            return;
        flights_.erase(flights_.begin());
        auto& mailbox = *find(id);
        auto& parcel = *mailbox.find(number);
        ++parcel.overdue;
        if (parcel.post->is_letter() && is_exhausted(parcel)) {
            mailbox.erase(number); // it stays for others, and for this one's next connection
        } else if (!mailbox.abandoned() && (mailbox.gone || is_exhausted(parcel))) {
            bury(mailbox, parcel.post, mailbox.gone ? "WORKER_UNREGISTERED" : "MAX_RETRIES", burials);
            fly(id, number, now + limits_.bus.ack_timeout); // likewise
            continue;
        } else {
            mailbox.end_flight(number);
        }
        stir(mailbox.session);
    }
}

/// Without `burials` those that need one are put off.
void PostOffice::end_expired(Timestamp now, std::size_t& budget, Burials* burials)
{
    while (budget > 0 && !expiries_.empty()) {
        const auto [at, number] = *expiries_.begin();
        if (at > now)
            return;
        auto& posted = posted_.at(number);
        budget -= std::min(budget, posted.at.size());
        if (posted.post->guarded()) {
            if (burials) { // those that are given up for another reason in this turn are among all
                std::erase_if(*burials, [&](const BuryMessage& other) { return other.post == posted.post; });
                burials->push_back(burial_for_all(number, posted));
            }
            expiries_.erase(expiries_.begin());
            posted.expires = now + limits_.bus.ack_timeout; // likewise
            expiries_.emplace(posted.expires, number);
            continue;
        }
        counters_.dropped += posted.left;
        for (const auto id : std::vector(posted.at)) {
            settle(id, number);
            tidy(id);
        }
    }
}

BuryMessage PostOffice::burial_for_all(PostNumber number, const Posted& posted)
{
    BuryMessage command{.post = posted.post, .everyone = true, .reason = "EXPIRED"};
    for (const auto id : posted.at)
        if (Mailbox* mailbox = find(id);
            mailbox && mailbox->worker.empty() && !mailbox->abandoned() && mailbox->find(number))
            command.sockets.push_back(mailbox->session);
    return command;
}

std::optional<PostNumber> PostOffice::number_of(const Post& post) const
{
    for (auto [entry, end] = by_id_.equal_range(post.message.id.view()); entry != end; ++entry)
        if (const auto posted = posted_.find(entry->second);
            posted != posted_.end() && posted->second.post.get() == &post)
            return entry->second;
    return std::nullopt;
}

void PostOffice::buried(const BuryMessage& command, std::size_t lost)
{
    counters_.dropped += lost;
    const auto number = number_of(*command.post);
    if (!number)
        return; // gone with the last of its receivers
    std::vector<MailboxId> boxes;
    if (command.everyone)
        boxes = posted_.at(*number).at;
    for (const auto& worker : command.receivers)
        if (const auto known = by_worker_.find(worker.view()); known != by_worker_.end())
            boxes.push_back(known->second);
    for (const auto session : command.sockets)
        if (const auto entry = connections_.find(session); entry != connections_.end())
            boxes.push_back(entry->second.own);
    for (const auto id : boxes) {
        settle(id, *number);
        tidy(id);
    }
}

std::optional<Timestamp> PostOffice::next_due() const noexcept
{
    if (!gone_.empty() || !abandoned_.empty())
        return Timestamp{};
    auto next = next_expiry();
    if (!flights_.empty() && (!next || std::get<Timestamp>(*flights_.begin()) < *next))
        next = std::get<Timestamp>(*flights_.begin());
    return next;
}

std::optional<Timestamp> PostOffice::next_expiry() const noexcept
{
    return expiries_.empty() ? std::nullopt : std::optional(expiries_.begin()->first);
}

BusGauges PostOffice::gauges() const
{
    BusGauges gauges;
    for (const auto& [id, mailbox] : mailboxes_) {
        for (int priority = 0; priority < priority_count; ++priority)
            gauges.waiting[static_cast<std::size_t>(priority)] +=
                mailbox.waiting(static_cast<Priority>(priority)).size();
        gauges.in_flight += mailbox.in_flight().size();
        gauges.sockets += mailbox.worker.empty() && !mailbox.abandoned() ? 1 : 0;
    }
    gauges.socket_topics = topics_.topics();
    return gauges;
}

} // namespace coordination
