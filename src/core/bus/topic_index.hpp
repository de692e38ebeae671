#pragma once

#include "core/bus/message.hpp"

#include <cstddef>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace coordination {

/// Takes the first part, up to a colon, off a topic. False: there was no part left.
struct TopicParts {
    std::string_view rest;
    bool left = true;

    std::string_view take() noexcept
    {
        const auto colon = rest.find(':');
        const auto part = rest.substr(0, colon);
        left = colon != std::string_view::npos;
        rest.remove_prefix(left ? colon + 1 : rest.size());
        return part;
    }
};

/// Whether it can be published to: it names one topic, not many, and not the dead letters'.
inline bool is_publishable(std::string_view topic) noexcept
{
    for (TopicParts parts{topic}; parts.left;)
        if (parts.take() == "*")
            return false;
    return topic != dead_letter_topic;
}

/// Whether it can be subscribed to: it has no more parts than may be.
inline bool is_subscribable(std::string_view topic) noexcept
{
    std::size_t count = 0;
    for (TopicParts parts{topic}; parts.left; ++count)
        parts.take();
    return count <= topic_parts_max;
}

/// Who wants the messages of which topics. A topic is any text; colons part it. In what is subscribed to, a
/// part that is `*` stands for any one part, at the end for one or more: so `*` is every topic, `a:*` all
/// below `a`.
///
/// Cost     Of match(): the subscriptions that match, and the different ones that begin alike; not the
///          others.
/// Threads  One.
template <class Key>
class TopicIndex {
public:
    void add(std::string_view topic, Key key)
    {
        Node* node = &root_;
        for (TopicParts parts{topic}; parts.left;) {
            const auto part = parts.take();
            if (part == "*" && !parts.left) {
                insert(node->below, key);
                return;
            }
            auto next = node->next.find(part);
            if (next == node->next.end())
                next = node->next.emplace(part, std::make_unique<Node>()).first;
            node = next->second.get();
        }
        insert(node->here, key);
    }

    /// It was added.
    void remove(std::string_view topic, Key key) { remove(root_, TopicParts{topic}, key); }

    /// Adds who wants the messages of this topic to `keys`, some more than once.
    void match(std::string_view topic, std::vector<Key>& keys) const
    {
        match(root_, TopicParts{topic}, keys);
    }

    /// Different topics that somebody has subscribed to.
    std::size_t topics() const noexcept { return topics_; }

private:
    using Keys = std::set<Key>;
    struct Node {
        std::map<std::string, std::unique_ptr<Node>, std::less<>> next;
        Keys here;
        Keys below; ///< who ended with a `*` at this place
        bool empty() const noexcept { return next.empty() && here.empty() && below.empty(); }
    };

    void insert(Keys& keys, Key key)
    {
        topics_ += keys.empty() ? 1 : 0;
        keys.insert(key);
    }
    void erase(Keys& keys, Key key)
    {
        keys.erase(key);
        topics_ -= keys.empty() ? 1 : 0;
    }

    void remove(Node& node, TopicParts parts, Key key)
    {
        if (!parts.left)
            return erase(node.here, key);
        const auto part = parts.take();
        if (part == "*" && !parts.left)
            return erase(node.below, key);
        const auto next = node.next.find(part);
        remove(*next->second, parts, key);
        if (next->second->empty())
            node.next.erase(next);
    }

    void match(const Node& node, TopicParts parts, std::vector<Key>& keys) const
    {
        if (!parts.left) {
            keys.insert(keys.end(), node.here.begin(), node.here.end());
            return;
        }
        keys.insert(keys.end(), node.below.begin(), node.below.end());
        for (const auto part : {parts.take(), std::string_view("*")})
            if (const auto next = node.next.find(part); next != node.next.end())
                match(*next->second, parts, keys);
    }

    Node root_;
    std::size_t topics_ = 0;
};

} // namespace coordination
