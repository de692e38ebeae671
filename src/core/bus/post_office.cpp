#include "core/bus/post_office.hpp"

#include <algorithm>
#include <utility>

namespace coordination {
void PostOffice::resume(StateStore& store)
{
    for (const auto& [ordinal, row] : store.messages().rows()) {
        if (row.state == MessageState::dead)
            add_letter(row);
        else if (row.state == MessageState::live)
            post(std::make_shared<const Post>(row, store.message_quota()));
    }
    counters_ = {};
    for (auto& [id, mailbox] : mailboxes_)
        if (!mailbox.worker.empty() && !store.workers().find(mailbox.worker.view())) {
            mailbox.gone = true;
            gone_.push_back(id);
        }
}

PostOffice::MailboxId PostOffice::mailbox_of(const WorkerId& worker)
{
    if (const auto known = by_worker_.find(worker.view()); known != by_worker_.end())
        return known->second;
    const auto id = ++last_mailbox_;
    auto& mailbox = mailboxes_[id];
    mailbox.worker = worker;
    by_worker_.emplace(mailbox.worker.view(), id);
    return id;
}

Mailbox* PostOffice::find(MailboxId id) noexcept
{
    const auto mailbox = mailboxes_.find(id);
    return mailbox == mailboxes_.end() ? nullptr : &mailbox->second;
}

/// One that is empty and whose receiver is away is not kept.
void PostOffice::tidy(MailboxId id)
{
    const Mailbox* mailbox = find(id);
    if (!mailbox || mailbox->session != 0 || mailbox->size() > 0 || mailbox->worker.empty())
        return;
    by_worker_.erase(mailbox->worker.view());
    mailboxes_.erase(id);
}

void PostOffice::connect(SessionId session, const WorkerId& worker, std::optional<bool> wants_letters)
{
    const auto entry = connections_.find(session);
    if (const auto known = by_worker_.find(worker.view()); known != by_worker_.end())
        find(known->second)->gone = false;
    if (entry == connections_.end())
        return; // it has ended meanwhile, or there never was one
    const auto id = mailbox_of(worker);
    auto& mailbox = *find(id);
    const bool wanted = wants_letters.value_or(mailbox.wants_letters);
    if (mailbox.session != session) {
        if (const auto other = connections_.find(mailbox.session); other != connections_.end())
            other->second.worker = 0;
        drop_letters_from(id, mailbox);
        return_flights(id, mailbox);
        mailbox.session = session;
        entry->second.worker = id;
    }
    want_letters(worker, wanted);
    wake(session);
}

void PostOffice::close(SessionId session)
{
    const auto entry = connections_.find(session);
    if (entry == connections_.end())
        return;
    unsubscribe(session, std::nullopt);
    const auto id = entry->second.worker;
    unready(session);
    connections_.erase(entry);
    if (Mailbox* mailbox = find(id)) {
        drop_letters_from(id, *mailbox);
        mailbox->session = 0;
        return_flights(id, *mailbox);
        tidy(id);
    }
}

/// What is in flight was tried once more, in vain: it waits again, or is overdue at once for the last time.
void PostOffice::return_flights(MailboxId id, Mailbox& mailbox)
{
    std::vector<PostNumber> numbers;
    for (const auto& [number, parcel] : mailbox.in_flight())
        numbers.push_back(number);
    for (const auto number : numbers) {
        auto& parcel = *mailbox.find(number);
        flights_.erase({parcel.due, number, id});
        ++parcel.overdue;
        if (is_exhausted(parcel))
            fly(id, number, Timestamp{});
        else
            mailbox.end_flight(number);
    }
}

void PostOffice::want_letters(const WorkerId& worker, std::optional<bool> wanted)
{
    const auto known = by_worker_.find(worker.view());
    Mailbox* mailbox = known == by_worker_.end() ? nullptr : find(known->second);
    if (!mailbox || mailbox->session == 0 || !wanted || mailbox->wants_letters == *wanted)
        return;
    if (*wanted)
        put_letters_into(known->second, *mailbox);
    else
        drop_letters_from(known->second, *mailbox);
}

void PostOffice::put_letters_into(MailboxId id, Mailbox& mailbox)
{
    mailbox.wants_letters = true;
    letter_boxes_.insert(id);
    for (const auto& [number, letter] : letters_)
        mailbox.put(number, letter);
    stir(mailbox.session);
}

void PostOffice::drop_letters_from(MailboxId id, Mailbox& mailbox)
{
    mailbox.wants_letters = false;
    letter_boxes_.erase(id);
    while (!mailbox.letters().empty())
        erase(id, *mailbox.letters().begin());
}

void PostOffice::forget(const WorkerId& worker)
{
    const auto known = by_worker_.find(worker.view());
    if (known == by_worker_.end())
        return;
    const auto id = known->second;
    auto& mailbox = *find(id);
    want_letters(worker, false);
    if (const auto entry = connections_.find(mailbox.session); entry != connections_.end())
        entry->second.worker = 0;
    return_flights(id, mailbox);
    mailbox.session = 0;
    mailbox.gone = true;
    gone_.push_back(id);
    tidy(id);
}

void PostOffice::subscribe(SessionId session, const MessageTopics& topics)
{
    const auto entry = connections_.find(session);
    if (entry == connections_.end())
        return;
    auto& connection = entry->second;
    if (connection.own == 0) {
        connection.own = ++last_mailbox_;
        mailboxes_[connection.own].session = session;
    }
    for (const auto& topic : topics)
        if (connection.topics.insert(topic).second)
            topics_.add(topic, session);
    auto& mailbox = *find(connection.own);
    if (!mailbox.wants_letters && connection.topics.contains(dead_letter_topic))
        put_letters_into(connection.own, mailbox);
}

void PostOffice::unsubscribe(SessionId session, const std::optional<MessageTopics>& topics)
{
    const auto entry = connections_.find(session);
    if (entry == connections_.end() || entry->second.own == 0)
        return;
    auto& connection = entry->second;
    const MessageTopics all(connection.topics.begin(), connection.topics.end());
    for (const auto& topic : topics ? *topics : all)
        if (connection.topics.erase(topic) > 0)
            topics_.remove(topic, session);
    auto& mailbox = *find(connection.own);
    if (mailbox.wants_letters && !connection.topics.contains(dead_letter_topic))
        drop_letters_from(connection.own, mailbox);
    if (connection.topics.empty())
        abandon(std::exchange(connection.own, 0));
}

/// Nobody will acknowledge any of it: it is let go, a little at a time.
void PostOffice::abandon(MailboxId id)
{
    find(id)->session = 0;
    abandoned_.push_back(id);
}

bool PostOffice::ask_for_topics(SessionId session, const MessageTopics& topics)
{
    const auto entry = connections_.find(session);
    if (entry == connections_.end())
        return true; // it has ended: nothing will come of it
    auto& asked = entry->second.asked;
    const auto more =
        std::ranges::count_if(topics, [&](const auto& topic) { return !asked.contains(topic); });
    if (asked.size() + static_cast<std::size_t>(more) > message_topics_max)
        return false;
    asked.insert(topics.begin(), topics.end());
    return true;
}

void PostOffice::give_up_topics(SessionId session, const std::optional<MessageTopics>& topics)
{
    const auto entry = connections_.find(session);
    if (entry == connections_.end())
        return;
    if (!topics)
        entry->second.asked.clear();
    else
        for (const auto& topic : *topics)
            entry->second.asked.erase(topic);
}

void PostOffice::take_back_topics(SessionId session)
{
    if (const auto entry = connections_.find(session); entry != connections_.end())
        entry->second.asked = entry->second.topics;
}

/// A connection that speaks for a receiver gets it as that, once.
void PostOffice::post(const PostPtr& post)
{
    ++counters_.received;
    const auto number = ++last_number_;
    const auto& message = post->message;
    Posted posted{.post = post, .at = {}};
    std::vector<SessionId> sessions;
    for (const auto& worker : pending_receivers(message)) {
        const auto id = mailbox_of(worker);
        put(number, posted, id);
        sessions.push_back(find(id)->session);
    }
    std::ranges::sort(sessions);
    std::vector<SessionId> others;
    if (!message.direct)
        topics_.match(message.topic.view(), others);
    std::ranges::sort(others);
    const auto twice = std::ranges::unique(others);
    others.erase(twice.begin(), twice.end());
    for (const auto session : others)
        if (!std::ranges::binary_search(sessions, session))
            put(number, posted, connections_.at(session).own);
    if (posted.left == 0)
        return;
    posted.expires = message.expires_at;
    expiries_.emplace(posted.expires, number);
    if (post->guarded())
        by_id_.emplace(message.id.view(), number);
    post->owed_to(posted.left);
    const auto at = posted.at;
    posted_.emplace(number, std::move(posted));
    for (const auto id : at)
        if (Mailbox* mailbox = find(id))
            keep_within_bounds(id, *mailbox, *post->quota());
}

void PostOffice::put(PostNumber number, Posted& posted, MailboxId id)
{
    auto& mailbox = *find(id);
    mailbox.put(number, posted.post);
    posted.at.push_back(id);
    ++posted.left;
    stir(mailbox.session);
}

void PostOffice::keep_within_bounds(MailboxId id, Mailbox& mailbox, const MessageQuota& quota)
{
    const auto share = quota.small_share(limits_.bus);
    while (share.exceeded_by(mailbox.unguarded().messages, mailbox.unguarded().bytes)) {
        ++counters_.dropped;
        settle(id, *mailbox.oldest_unguarded());
    }
    const MessageQuota::Share most{std::max(share.messages, limits_.bus.in_flight_max),
                                   std::max(share.bytes, MessageQuota::least_share.bytes)};
    if (mailbox.worker.empty() && most.exceeded_by(mailbox.guarded().messages, mailbox.guarded().bytes) &&
        std::ranges::find(overfull_, mailbox.session) == overfull_.end())
        overfull_.push_back(mailbox.session);
}

/// The receiver has it, or never will.
void PostOffice::settle(MailboxId id, PostNumber number)
{
    if (!erase(id, number))
        return;
    const auto posted = posted_.find(number);
    if (posted == posted_.end())
        return;
    posted->second.post->owed_to(--posted->second.left);
    if (posted->second.left == 0)
        forget_post(number);
}

bool PostOffice::erase(MailboxId id, PostNumber number)
{
    Mailbox* mailbox = find(id);
    const Parcel* parcel = mailbox ? mailbox->find(number) : nullptr;
    if (!parcel)
        return false;
    flights_.erase({parcel->due, number, id});
    mailbox->erase(number);
    stir(mailbox->session); // there is room for another
    return true;
}

void PostOffice::forget_post(PostNumber number)
{
    const auto posted = posted_.find(number);
    const auto& message = posted->second.post->message;
    for (auto [entry, end] = by_id_.equal_range(message.id.view()); entry != end; ++entry)
        if (entry->second == number) {
            by_id_.erase(entry);
            break;
        }
    expiries_.erase({posted->second.expires, number});
    posted_.erase(posted);
}

void PostOffice::acknowledge(SessionId session, const WorkerId& worker, const MessageId& id)
{
    std::vector<PostNumber> numbers;
    for (auto [entry, end] = by_id_.equal_range(id.view()); entry != end; ++entry)
        numbers.push_back(entry->second);
    const auto entry = connections_.find(session);
    const auto own = entry == connections_.end() ? MailboxId{0} : entry->second.own;
    const auto known = by_worker_.find(worker.view());
    const auto workers = known == by_worker_.end() ? MailboxId{0} : known->second;
    for (const auto number : numbers)
        for (const auto box : {workers, own})
            if (Mailbox* mailbox = find(box); mailbox && mailbox->find(number)) {
                ++counters_.delivered;
                settle(box, number);
                tidy(box);
            }
}

void PostOffice::add_letter(const BusMessage& letter)
{
    ++counters_.buried;
    const auto number = ++last_number_;
    const auto post = std::make_shared<const Post>(letter, nullptr);
    letters_.emplace(number, post);
    by_id_.emplace(post->message.id.view(), number);
    for (const auto id : letter_boxes_) {
        find(id)->put(number, post);
        stir(find(id)->session);
    }
}

void PostOffice::remove_letter(const MessageId& id)
{
    const auto entry = by_id_.find(id.view());
    if (entry == by_id_.end())
        return;
    const auto number = entry->second;
    by_id_.erase(entry);
    for (const auto box : letter_boxes_)
        erase(box, number);
    letters_.erase(number);
}

} // namespace coordination
