#include "core/store/topics.hpp"

#include <catch2/catch.hpp>

#include <bit>

using namespace coordination;

TEST_CASE("a topic names a collection and an operation, with * for either part or the whole", "[topics]")
{
    CHECK(compile_topic("tasks:set") == topic_bit(Collection::tasks, Operation::set));
    CHECK(compile_topic("workers:update") == topic_bit(Collection::workers, Operation::update));
    CHECK(compile_topic("assignments:delete") == topic_bit(Collection::assignments, Operation::erase));
    CHECK(compile_topic("tasks:*") ==
          (topic_bit(Collection::tasks, Operation::set) | topic_bit(Collection::tasks, Operation::update) |
           topic_bit(Collection::tasks, Operation::erase)));
    CHECK(compile_topic("*:delete") ==
          (topic_bit(Collection::tasks, Operation::erase) | topic_bit(Collection::workers, Operation::erase) |
           topic_bit(Collection::assignments, Operation::erase)));
    CHECK(compile_topic("*") == every_topic);
    CHECK(compile_topic("*:*") == every_topic);
    CHECK(std::popcount(every_topic) == collection_count * operation_count);
}

TEST_CASE("collections that only follow from others are known and never change", "[topics]")
{
    CHECK(compile_topic("workerTasks:set") == TopicMask{0});
    CHECK(compile_topic("metadata:*") == TopicMask{0});
}

TEST_CASE("a topic with an unknown part is none", "[topics]")
{
    for (const auto* topic :
         {"", "tasks", "tasks:", ":set", "tasks:erase", "Tasks:set", "tasks:set:x", "jobs:*", "**"}) {
        INFO(topic);
        CHECK_FALSE(compile_topic(topic));
    }
}

TEST_CASE("what a change is called is the topic that selects it", "[topics]")
{
    for (int c = 0; c < collection_count; ++c)
        for (int o = 0; o < operation_count; ++o) {
            const auto collection = static_cast<Collection>(c);
            const auto operation = static_cast<Operation>(o);
            const auto topic = std::string(name_of(collection)) + ":" + std::string(name_of(operation));
            CHECK(compile_topic(topic) == topic_bit(collection, operation));
        }
}
