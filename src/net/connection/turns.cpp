#include "net/connection/turns.hpp"

#include <boost/asio/execution_context.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include <utility>
#include <vector>

namespace coordination {

namespace asio = boost::asio;

/// What one thread is to run, of one io_context.
class TurnQueue final : public asio::execution_context::service {
public:
    using key_type = TurnQueue;
    static inline asio::execution_context::id id;

    explicit TurnQueue(asio::execution_context& context)
        : service(context),
          executor_(static_cast<asio::io_context&>(context).get_executor())
    {
    }

    bool runs_here() const noexcept { return executor_.running_in_this_thread(); }

    void push(Turn turn)
    {
        ready_.push_back(std::move(turn));
        if (!std::exchange(queued_, true))
            asio::post(executor_, [this] { run(); });
    }

    std::uint64_t inputs = 0;

private:
    /// More often than any chain of turns is long that ends by itself: from request to reply it is six.
    static constexpr int rounds_max = 16;

    /// What turns add is run too, but the sockets have their turn as well.
    void run()
    {
        for (int round = 0; round < rounds_max && !ready_.empty(); ++round) {
            running_.swap(ready_);
            for (auto& turn : running_)
                turn.run(turn.object);
            running_.clear();
        }
        queued_ = !ready_.empty();
        if (queued_)
            asio::post(executor_, [this] { run(); });
    }

    void shutdown() noexcept override
    {
        ready_.clear();
        running_.clear();
    }

    asio::io_context::executor_type executor_;
    std::vector<Turn> ready_;
    std::vector<Turn> running_;
    bool queued_ = false; ///< run() is
};

namespace {

/// An io_context's own executor, in place of a strand, means that one thread runs it: see strand_on().
TurnQueue* queue_of(const Strand& strand)
{
    const auto* executor = strand.target<asio::io_context::executor_type>();
    return executor ? &asio::use_service<TurnQueue>(executor->context()) : nullptr;
}

} // namespace

Turns::Turns(Strand strand) : strand_(std::move(strand)), queue_(queue_of(strand_)) {}

std::uint64_t Turns::inputs() const noexcept
{
    return queue_ ? queue_->inputs : 0;
}

void Turns::note_input() noexcept
{
    if (queue_)
        ++queue_->inputs;
}

void Turns::post(Turn turn)
{
    if (queue_ && queue_->runs_here())
        queue_->push(std::move(turn));
    else
        asio::post(strand_, [turn = std::move(turn)] { turn.run(turn.object); });
}

} // namespace coordination
