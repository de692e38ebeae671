#include "net/daemon.hpp"

#include "net/embed/embedded_call.hpp"
#include "net/embed/message_listener.hpp"
#include "net/option_check.hpp"
#include "net/rethrow.hpp"
#include "net/running.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>

#include <spdlog/spdlog.h>

#include <future>
#include <map>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace coordination {

namespace asio = boost::asio;

/// What stays from one start to the next: options, handlers of events, threads; and which phase it is in.
class Daemon::Host : public DueWork, public std::enable_shared_from_this<Host> {
public:
    Host(asio::io_context* callers, DaemonOptions options)
        : own_(callers ? nullptr : std::make_unique<asio::io_context>(static_cast<int>(options.threads))),
          io_(callers ? *callers : *own_),
          options_(std::move(options)),
          events_(std::make_shared<EventHub>(io_.get_executor(), options_.outbox_bytes_max))
    {
        if (own_)
            options_.run_by = options_.threads == 1 ? RunBy::one_thread : RunBy::many_threads;
    }

    void follow_clock() { manual_ = options_.clock && options_.clock->drives(weak_from_this()); }

    tl::expected<Endpoints, std::string> start();
    void stop(Told<Stopped> done);
    void stop_for_good();
    void submit(AnyRequest request, Told<AnyReply> done);
    void catch_up(Done done) override;
    ListenerId on(std::initializer_list<EventKind> kinds, Handler handler);
    tl::expected<ListenerId, Error> on_message(const std::vector<std::string>& topics,
                                               MessageHandler handler);
    void off(ListenerId id);

    EventHub& events() noexcept { return *events_; }
    asio::any_io_executor executor() noexcept { return io_.get_executor(); }

private:
    enum class Phase { stopped, starting, running, stopping };
    using Work = asio::executor_work_guard<asio::io_context::executor_type>;

    static asio::awaitable<Stopped> shut_down(std::shared_ptr<Running> running,
                                              std::shared_ptr<EventHub> events);
    static asio::awaitable<std::optional<Timestamp>> catch_all_up(std::shared_ptr<Running> running,
                                                                  std::shared_ptr<EventHub> events);
    void begin_running(const std::shared_ptr<Running>& running);
    void end_running(Stopped saved);
    void set_phase(Phase phase);

    std::unique_ptr<asio::io_context> own_;
    asio::io_context& io_;
    DaemonOptions options_;
    const std::shared_ptr<EventHub> events_;
    bool manual_ = false;

    std::mutex mutex_; ///< guards what follows
    Phase phase_ = Phase::stopped;
    std::shared_ptr<Running> running_; ///< kept until the next start: what has just ended may still unwind
    std::optional<Work> work_;
    std::vector<Told<Stopped>> awaiting_stop_;
    Stopped saved_;
    std::map<ListenerId, std::shared_ptr<MessageListener>> message_listeners_;
    std::vector<std::jthread> threads_; ///< for the thread that starts and destroys
};

tl::expected<Endpoints, std::string> Daemon::Host::start()
{
    {
        const std::lock_guard lock(mutex_);
        if (phase_ != Phase::stopped)
            return tl::unexpected(std::string("the daemon is running: stop it first"));
        phase_ = Phase::starting;
    }
    threads_.clear(); // of the last time: they have nothing left to do
    const auto fault = fault_in(options_);
    if (fault) {
        set_phase(Phase::stopped);
        return tl::unexpected(*fault);
    }
    const auto running = std::make_shared<Running>(io_, options_, events_);
    auto endpoints = running->start(manual_);
    if (endpoints)
        begin_running(running);
    else
        set_phase(Phase::stopped);
    return endpoints;
}

void Daemon::Host::begin_running(const std::shared_ptr<Running>& running)
{
    {
        const std::lock_guard lock(mutex_);
        running_ = running;
        for (const auto& [id, listener] : message_listeners_)
            listener->open(running->coordinator(), running->metrics());
        work_.emplace(asio::make_work_guard(io_));
        phase_ = Phase::running;
    }
    if (events_->wants_any())
        running->begin_events();
    if (!own_)
        return;
    own_->restart();
    for (std::size_t i = 0; i < options_.threads; ++i)
        threads_.emplace_back([this] { own_->run(); });
}

void Daemon::Host::set_phase(Phase phase)
{
    const std::lock_guard lock(mutex_);
    phase_ = phase;
}

void Daemon::Host::stop(Told<Stopped> done)
{
    std::unique_lock lock(mutex_);
    if (phase_ == Phase::stopped || phase_ == Phase::starting) {
        auto saved = saved_;
        lock.unlock();
        done(std::move(saved));
        return;
    }
    awaiting_stop_.push_back(std::move(done));
    if (std::exchange(phase_, Phase::stopping) == Phase::stopping)
        return;
    const auto running = running_;
    for (const auto& [id, listener] : message_listeners_)
        listener->close();
    lock.unlock();
    const auto ended = [self = shared_from_this()](const std::exception_ptr& bug, Stopped saved) {
        rethrow(bug);
        self->end_running(std::move(saved));
    };
    asio::co_spawn(io_, shut_down(running, events_), ended);
}

asio::awaitable<Daemon::Stopped> Daemon::Host::shut_down(std::shared_ptr<Running> running,
                                                         std::shared_ptr<EventHub> events)
{
    auto saved = co_await running->shutdown();
    co_await events->settled();
    co_return saved;
}

void Daemon::Host::end_running(Stopped saved)
{
    std::vector<Told<Stopped>> awaiting;
    {
        const std::lock_guard lock(mutex_);
        phase_ = Phase::stopped;
        saved_ = saved;
        awaiting.swap(awaiting_stop_);
        work_.reset();
    }
    for (const auto& done : awaiting)
        done(saved);
}

/// On the own threads: the destructor's part. What its caller's io_context has left, its caller ends.
void Daemon::Host::stop_for_good()
{
    if (!own_)
        return;
    std::promise<Stopped> stopped;
    stop([&stopped](Stopped saved) { stopped.set_value(std::move(saved)); });
    const auto saved = stopped.get_future().get();
    if (!saved)
        spdlog::error("the last state could not be saved: {}", saved.error());
    threads_.clear();
}

void Daemon::Host::submit(AnyRequest request, Told<AnyReply> done)
{
    auto asked = read_request(request, {options_.id_bytes_max, options_.json_depth_max});
    if (!asked) {
        done(tl::unexpected(std::move(asked.error())));
        return;
    }
    std::unique_lock lock(mutex_); // nothing is submitted once the stop has begun
    if (phase_ != Phase::running) {
        lock.unlock();
        done(tl::unexpected(Error{ErrorCode::not_running, "the daemon is not running: start it first"}));
        return;
    }
    auto call =
        std::make_unique<EmbeddedCall>(std::move(request), asked->tell, running_->metrics(), std::move(done));
    running_->coordinator().submit(std::move(asked->action), 0, std::move(call));
}

void Daemon::Host::catch_up(Done done)
{
    std::unique_lock lock(mutex_);
    if (phase_ != Phase::running) {
        lock.unlock();
        done(std::nullopt);
        return;
    }
    const auto running = running_;
    lock.unlock();
    const auto caught_up = [done = std::move(done)](const std::exception_ptr& bug,
                                                    std::optional<Timestamp> next) {
        rethrow(bug);
        done(next);
    };
    asio::co_spawn(io_, catch_all_up(running, events_), caught_up);
}

asio::awaitable<std::optional<Timestamp>> Daemon::Host::catch_all_up(std::shared_ptr<Running> running,
                                                                     std::shared_ptr<EventHub> events)
{
    const auto next = co_await running->catch_up();
    co_await events->settled();
    co_return next;
}

Daemon::ListenerId Daemon::Host::on(std::initializer_list<EventKind> kinds, Handler handler)
{
    const auto id = events_->add(std::span(kinds.begin(), kinds.size()), std::move(handler));
    const std::lock_guard lock(mutex_);
    if (phase_ == Phase::running)
        running_->begin_events();
    return id;
}

tl::expected<Daemon::ListenerId, Error> Daemon::Host::on_message(const std::vector<std::string>& topics,
                                                                 MessageHandler handler)
{
    auto subscription = read_topics(topics, {options_.id_bytes_max, options_.json_depth_max});
    if (!subscription)
        return tl::unexpected(std::move(subscription.error()));
    const auto listener = std::make_shared<MessageListener>(std::move(*subscription), std::move(handler),
                                                            events_, options_.outbox_bytes_max);
    const auto id = events_->fresh_id();
    const std::lock_guard lock(mutex_);
    message_listeners_.emplace(id, listener);
    if (phase_ == Phase::running)
        listener->open(running_->coordinator(), running_->metrics());
    return id;
}

void Daemon::Host::off(ListenerId id)
{
    events_->remove(id);
    const std::lock_guard lock(mutex_);
    const auto entry = message_listeners_.find(id);
    if (entry == message_listeners_.end())
        return;
    entry->second->close();
    message_listeners_.erase(entry);
}

Daemon::Daemon(DaemonOptions options) : host_(std::make_shared<Host>(nullptr, std::move(options)))
{
    host_->follow_clock();
}

Daemon::Daemon(asio::io_context& io, DaemonOptions options)
    : host_(std::make_shared<Host>(&io, std::move(options)))
{
    host_->follow_clock();
}

Daemon::~Daemon()
{
    host_->stop_for_good();
}

tl::expected<Endpoints, std::string> Daemon::start()
{
    return host_->start();
}

void Daemon::begin_stop(Told<Stopped> done)
{
    host_->stop(std::move(done));
}

void Daemon::submit(AnyRequest request, Told<AnyReply> done)
{
    host_->submit(std::move(request), std::move(done));
}

Daemon::ListenerId Daemon::on(std::initializer_list<EventKind> kinds, Handler handler)
{
    return host_->on(kinds, std::move(handler));
}

tl::expected<Daemon::ListenerId, Error> Daemon::on_message(const std::vector<std::string>& topics,
                                                           MessageHandler handler)
{
    return host_->on_message(topics, std::move(handler));
}

void Daemon::off(ListenerId id)
{
    host_->off(id);
}

void Daemon::deliver_events_on(const asio::any_io_executor& executor)
{
    host_->events().deliver_on(executor);
}

asio::any_io_executor Daemon::get_executor() const noexcept
{
    return host_->executor();
}

} // namespace coordination
