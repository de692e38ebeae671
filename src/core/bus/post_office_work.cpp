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

BuryMessage PostOffice::burial(const Mailbox& mailbox, PostPtr post, std::string_view reason)
{
    BuryMessage command{.post = std::move(post), .receiver = mailbox.worker, .reason = reason};
    if (mailbox.worker.empty())
        command.sockets.push_back(mailbox.session);
    return command;
}

std::vector<BuryMessage> PostOffice::due(Timestamp now, std::size_t most)
{
    std::vector<BuryMessage> burials;
    bury_gone(now, most, burials);
    return_overdue(now, most, burials);
    end_expired(now, most, burials);
    return burials;
}

void PostOffice::bury_gone(Timestamp now, std::size_t most, std::vector<BuryMessage>& burials)
{
    while (!gone_.empty() && burials.size() < most) {
        const auto id = gone_.front();
        Mailbox* mailbox = find(id);
        const auto best =
            mailbox && mailbox->gone ? mailbox->best(limits_.aging, now) : std::optional<ParcelRank>{};
        if (!best) {
            gone_.pop_front();
            continue;
        }
        const auto post = mailbox->find(best->number)->post;
        if (post->guarded()) {
            burials.push_back(burial(*mailbox, post, "WORKER_UNREGISTERED"));
            fly(id, best->number, now + limits_.bus.ack_timeout); // should it be refused
        } else {
            ++counters_.dropped;
            settle(id, best->number);
            tidy(id);
        }
    }
}

void PostOffice::return_overdue(Timestamp now, std::size_t most, std::vector<BuryMessage>& burials)
{
    for (std::size_t n = 0; n < most && !flights_.empty(); ++n) {
        const auto [due, number, id] = *flights_.begin();
        if (due > now)
            return;
        flights_.erase(flights_.begin());
        auto& mailbox = *find(id);
        auto& parcel = *mailbox.find(number);
        ++parcel.overdue;
        const bool exhausted = parcel.overdue > parcel.post->message.max_retries;
        if (letters_.contains(number) && exhausted) {
            mailbox.erase(number); // it stays for others, and for this one's next connection
        } else if (mailbox.gone || exhausted) {
            burials.push_back(
                burial(mailbox, parcel.post, mailbox.gone ? "WORKER_UNREGISTERED" : "MAX_RETRIES"));
            fly(id, number, now + limits_.bus.ack_timeout); // likewise
            continue;
        } else {
            mailbox.end_flight(number);
        }
        stir(mailbox.session);
    }
}

void PostOffice::end_expired(Timestamp now, std::size_t most, std::vector<BuryMessage>& burials)
{
    for (std::size_t n = 0; n < most && !expiries_.empty(); ++n) {
        const auto [at, number] = *expiries_.begin();
        if (at > now)
            return;
        auto& posted = posted_.at(number);
        if (posted.post->guarded()) {
            burials.push_back(burial_for_all(number, posted));
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
        if (Mailbox* mailbox = find(id); mailbox && mailbox->worker.empty() && mailbox->find(number))
            command.sockets.push_back(mailbox->session);
    return command;
}

void PostOffice::buried(const BuryMessage& command, std::size_t lost)
{
    counters_.dropped += lost;
    for (auto [entry, end] = by_id_.equal_range(command.post->message.id.view()); entry != end; ++entry) {
        const auto number = entry->second;
        const auto posted = posted_.find(number);
        if (posted == posted_.end() || posted->second.post != command.post)
            continue;
        for (const auto id : std::vector(posted->second.at)) { // gone with the last of them
            const Mailbox* mailbox = find(id);
            if (mailbox &&
                (command.everyone ||
                 (mailbox->worker.empty() ? std::ranges::count(command.sockets, mailbox->session) > 0
                                          : mailbox->worker == command.receiver))) {
                settle(id, number);
                tidy(id);
            }
        }
        return;
    }
}

std::optional<Timestamp> PostOffice::next_due() const noexcept
{
    if (!gone_.empty())
        return Timestamp{};
    std::optional<Timestamp> next;
    if (!flights_.empty())
        next = std::get<Timestamp>(*flights_.begin());
    if (!expiries_.empty() && (!next || expiries_.begin()->first < *next))
        next = expiries_.begin()->first;
    return next;
}

BusGauges PostOffice::gauges() const
{
    BusGauges gauges;
    for (const auto& [id, mailbox] : mailboxes_) {
        for (int priority = 0; priority < priority_count; ++priority)
            gauges.waiting[static_cast<std::size_t>(priority)] +=
                mailbox.waiting(static_cast<Priority>(priority)).size();
        gauges.in_flight += mailbox.in_flight().size();
        gauges.sockets += mailbox.worker.empty() ? 1 : 0;
    }
    gauges.socket_topics = topics_.topics();
    return gauges;
}

} // namespace coordination
