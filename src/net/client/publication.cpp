#include "net/client/publication.hpp"

#include <array>
#include <random>

namespace coordination {

std::string new_message_id()
{
    constexpr std::string_view digits = "0123456789abcdef";
    std::random_device random;
    std::string id;
    for (int word = 0; word < 4; ++word) {
        auto bits = random();
        for (int digit = 0; digit < 8; ++digit, bits >>= 4U)
            id += digits[bits & 15U];
    }
    return id;
}

namespace net_client {

boost::json::object publish_frame(Publication publication)
{
    constexpr std::array guarantees{"at-most-once", "at-least-once", "exactly-once"};
    boost::json::object frame{{"type", "publish"},
                              {"payload", std::move(publication.payload)},
                              {"priority", publication.priority},
                              {"guarantee", guarantees.at(static_cast<std::size_t>(publication.guarantee))},
                              {"messageId", publication.message_id}};
    if (!publication.topic.empty())
        frame["topic"] = publication.topic;
    if (!publication.recipient.empty())
        frame["recipient"] = publication.recipient;
    if (publication.ttl)
        frame["ttl"] = publication.ttl->count();
    if (publication.max_retries)
        frame["maxRetries"] = *publication.max_retries;
    return frame;
}

} // namespace net_client

} // namespace coordination
