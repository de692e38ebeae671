#pragma once

#include "net/coordinator.hpp"
#include "net/embed/request.hpp"
#include "net/wire/fields.hpp"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace coordination {

/// A request of the program that the daemon lives in, checked like one that came over the wire.
class EmbeddedCall final : public Call {
public:
    using Told = std::function<void(AnyReply)>;
    using Render = AnyReply (*)(const AnyRequest&, const Result&, const StateStore&, const ReplyContext&,
                                const Metrics&);

    EmbeddedCall(AnyRequest request, Render tell, const Metrics& metrics, Told told)
        : request_(std::move(request)),
          tell_(tell),
          metrics_(metrics),
          told_(std::move(told))
    {
    }

    void render(const Result& result, const StateStore& state, const ReplyContext& context) override
    {
        reply_ = tell_(request_, result, state, context, metrics_);
    }
    void deliver() override { told_(std::move(reply_)); }

private:
    AnyRequest request_;
    Render tell_;
    const Metrics& metrics_;
    Told told_;
    AnyReply reply_;
};

/// What the coordinator is to do for a request, and how it is told of.
struct Asked {
    Action action;
    EmbeddedCall::Render tell;
};
tl::expected<Asked, Error> read_request(const AnyRequest& request, const wire::Bounds& bounds);
tl::expected<SubscribeMessages, Error> read_topics(const std::vector<std::string>& topics,
                                                   const wire::Bounds& bounds);

} // namespace coordination
