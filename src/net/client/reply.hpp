#pragma once

#include <memory>
#include <utility>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>

#include "net/client/call_error.hpp"

namespace coordination::net_client {

/// Whoever waits for the answer to a call: an Asio completion handler of any type. It is called once, on its
/// own executor, never from within the call that made it; its executor has work until then.
class Reply {
public:
    Reply() = default; ///< nobody waits

    template <class Handler>
    Reply(Handler handler, const boost::asio::any_io_executor& otherwise)
        : waiting_(std::make_unique<WaitingFor<Handler>>(std::move(handler), otherwise))
    {
    }

    bool is_awaited() const { return waiting_ != nullptr; }

    void operator()(Answer answer)
    {
        if (const auto waiting = std::move(waiting_))
            waiting->tell(std::move(answer));
    }

private:
    struct Waiting {
        virtual ~Waiting() = default;
        virtual void tell(Answer answer) = 0;
    };

    template <class Handler>
    struct WaitingFor final : Waiting {
        using Executor = boost::asio::associated_executor_t<Handler, boost::asio::any_io_executor>;

        WaitingFor(Handler waiter, const boost::asio::any_io_executor& otherwise)
            : handler(std::move(waiter)),
              work(boost::asio::get_associated_executor(handler, otherwise))
        {
        }

        void tell(Answer answer) override
        {
            const auto executor = work.get_executor();
            boost::asio::post(executor, [waiter = std::move(handler), told = std::move(answer)]() mutable {
                std::move(waiter)(std::move(told));
            });
        }

        Handler handler;
        boost::asio::executor_work_guard<Executor> work;
    };

    std::unique_ptr<Waiting> waiting_;
};

} // namespace coordination::net_client
