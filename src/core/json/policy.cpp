#include "core/json/policy.hpp"

#include "core/json/slice.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

namespace coordination::json {
namespace {

using Step = tl::expected<void, Error>;

constexpr std::int64_t duration_ms_max = std::int64_t{100} * 365 * 24 * 3'600'000;
constexpr std::size_t dependencies_max = 1000;
constexpr std::size_t key_bytes_max = 512;

Step wrong(std::string_view name, std::string_view expected)
{
    return tl::unexpected(invalid_field(name, expected));
}

Step read_duration(std::string_view value, std::string_view name, std::chrono::milliseconds& duration)
{
    const auto number = kind_of(value) == Kind::number ? integer_in(value) : std::nullopt;
    if (!number || *number < 0 || *number > duration_ms_max)
        return wrong(name, "a whole number of milliseconds, 0 or more");
    duration = std::chrono::milliseconds(*number);
    return {};
}

Step read_time(std::string_view value, std::string_view name, Timestamp& time)
{
    std::chrono::milliseconds since_epoch{};
    if (!read_duration(value, name, since_epoch))
        return wrong(name, "a time in milliseconds since 1970");
    time = Timestamp(since_epoch);
    return {};
}

Step read_count(std::string_view value, std::string_view name, std::uint32_t& count)
{
    constexpr std::int64_t most = 1'000'000;
    const auto number = kind_of(value) == Kind::number ? integer_in(value) : std::nullopt;
    if (!number || *number < 1 || *number > most)
        return wrong(name, "a whole number from 1 to 1000000");
    count = static_cast<std::uint32_t>(*number);
    return {};
}

Step read_key(std::string_view value, std::string_view name, Text& key)
{
    if (kind_of(value) != Kind::string || value.size() == 2 || value.size() > key_bytes_max)
        return wrong(name, "a string that is not empty, of at most 512 bytes");
    key = Text(unquoted(value));
    return {};
}

Step read_strings(std::string_view value, std::string_view name, std::vector<std::string>& strings)
{
    if (kind_of(value) != Kind::array)
        return wrong(name, "an array of non-empty strings");
    Elements elements(value);
    while (const auto element = elements.next()) {
        if (kind_of(*element) != Kind::string || element->size() == 2)
            return wrong(name, "an array of non-empty strings");
        strings.push_back(unquoted(*element));
    }
    std::ranges::sort(strings);
    strings.erase(std::ranges::unique(strings).begin(), strings.end());
    if (strings.size() > dependencies_max)
        return wrong(name, "an array of at most 1000 strings");
    return {};
}

Step read_jitter(std::string_view value, double& jitter)
{
    if (kind_of(value) == Kind::boolean) {
        jitter = value == "true" ? 0.5 : 0;
        return {};
    }
    const auto share = kind_of(value) == Kind::number ? double_in(value) : std::nullopt;
    if (!share || *share < 0 || *share > 1)
        return wrong("retry.backoff.jitter", "true, false or a number from 0 to 1");
    jitter = *share;
    return {};
}

/// Calls `read` with each member of an object that is not null, until one is wrong.
template <class Reader>
Step each_member(std::string_view object, std::string_view name, Reader&& read)
{
    if (kind_of(object) != Kind::object)
        return wrong(name, "an object");
    Members members(object);
    Step step;
    for (auto member = members.next(); member && step; member = members.next())
        if (kind_of(member->value) != Kind::null)
            step = read(unescaped(member->key), member->value);
    return step;
}

Step read_backoff(std::string_view object, Backoff& backoff)
{
    return each_member(object, "retry.backoff", [&](std::string_view name, std::string_view value) -> Step {
        if (name == "type") {
            if (value != R"("fixed")" && value != R"("exponential")")
                return wrong("retry.backoff.type", "fixed or exponential");
            backoff.exponential = value == R"("exponential")";
            return {};
        }
        if (name == "baseMs")
            return read_duration(value, "retry.backoff.baseMs", backoff.base);
        if (name == "maxMs")
            return read_duration(value, "retry.backoff.maxMs", backoff.most);
        return name == "jitter" ? read_jitter(value, backoff.jitter) : Step{};
    });
}

Step read_retry(std::string_view object, TaskPolicy& policy)
{
    return each_member(object, "retry", [&](std::string_view name, std::string_view value) -> Step {
        if (name == "maxFailures")
            return read_count(value, "retry.maxFailures", policy.max_failures);
        if (name == "backoff")
            return read_backoff(value, policy.backoff);
        return name == "nonRetryable" ? read_strings(value, "retry.nonRetryable", policy.non_retryable)
                                      : Step{};
    });
}

Step read_run_at(std::string_view value, TaskPolicy& policy)
{
    return read_time(value, "runAt", policy.run_at);
}

Step read_delay(std::string_view value, TaskPolicy& policy)
{
    return read_duration(value, "delayMs", policy.delay);
}

Step read_expiry(std::string_view value, TaskPolicy& policy)
{
    return read_time(value, "expiresAt", policy.expires_at);
}

Step read_timeout(std::string_view value, TaskPolicy& policy)
{
    return read_duration(value, "timeoutMs", policy.timeout);
}

Step read_retry_field(std::string_view value, TaskPolicy& policy)
{
    return read_retry(value, policy);
}

Step read_crash_limit(std::string_view value, TaskPolicy& policy)
{
    return read_count(value, "crashLimit", policy.crash_limit);
}

Step read_dependencies(std::string_view value, TaskPolicy& policy)
{
    std::vector<std::string> ids;
    return read_strings(value, "dependsOn", ids).map([&] {
        policy.depends_on.clear();
        for (const auto& id : ids)
            policy.depends_on.emplace_back(std::string_view(id));
    });
}

Step read_on_failure(std::string_view value, TaskPolicy& policy)
{
    if (value != R"("cancel")" && value != R"("run")")
        return wrong("onDependencyFailure", "cancel or run");
    policy.run_despite_failure = value == R"("run")";
    return {};
}

Step read_unique_key(std::string_view value, TaskPolicy& policy)
{
    return read_key(value, "uniqueKey", policy.unique_key);
}

Step read_idempotency_key(std::string_view value, TaskPolicy& policy)
{
    return read_key(value, "idempotencyKey", policy.idempotency_key);
}

struct Field {
    std::string_view name;
    Step (*read)(std::string_view value, TaskPolicy& policy);
};

constexpr std::array<Field, 10> fields{{
    {"runAt", read_run_at},
    {"delayMs", read_delay},
    {"expiresAt", read_expiry},
    {"timeoutMs", read_timeout},
    {"retry", read_retry_field},
    {"crashLimit", read_crash_limit},
    {"dependsOn", read_dependencies},
    {"onDependencyFailure", read_on_failure},
    {"uniqueKey", read_unique_key},
    {"idempotencyKey", read_idempotency_key},
}};

} // namespace

bool steers(std::string_view name) noexcept
{
    return std::ranges::find(fields, name, &Field::name) != fields.end();
}

tl::expected<Shared<TaskPolicy>, Error> policy_in(std::string_view members)
{
    std::string object = "{";
    object.append(members).append("}");
    TaskPolicy policy;
    std::string written;
    const auto read = each_member(object, "task", [&](std::string_view name, std::string_view value) -> Step {
        const auto field = std::ranges::find(fields, name, &Field::name);
        if (field == fields.end())
            return {};
        if (!written.empty())
            written += ',';
        written.append("\"").append(name).append("\":").append(value);
        return field->read(value, policy);
    });
    if (!read)
        return tl::unexpected(read.error());
    if (written.empty())
        return Shared<TaskPolicy>{};
    policy.written = Text(written);
    return Shared<TaskPolicy>(std::move(policy));
}

} // namespace coordination::json
