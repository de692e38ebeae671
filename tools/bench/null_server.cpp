// The limit: a server that frames what comes, and answers with as many bytes as the daemon would, but keeps
// no state and knows no rule. One thread, epoll, one read and one send per connection and turn.
//
//   null-server HTTP_PORT WS_PORT      0 takes a free one; says "listening http=... ws=..." like the daemon
//
// What is copied: the id and the payload of a task, to the next worker in turn, and to the answers.
// Everything else is text that stands ready.

#include "bench/load/http.hpp"
#include "bench/load/loop.hpp"
#include "bench/load/websocket.hpp"

#include <fmt/format.h>

#include <openssl/evp.h>
#include <openssl/sha.h>
#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace coordination::bench;

constexpr std::string_view moment = "1795536197577";
constexpr std::string_view revision = "1795536196728002";

constexpr std::string_view worker =
    R"({"id":"worker-00000","capabilities":["development"],"metadata":{},"status":"idle","activeTasks":0,)"
    R"("completedTasks":2,"failedTasks":0,"registeredAt":1795536197476,"lastHeartbeat":1795536197978,)"
    R"("lastSeen":1795536197978,"subscriptions":[]})";

class Peer;

struct Server {
    Loop loop;
    std::vector<std::unique_ptr<Peer>> peers;
    std::vector<Peer*> workers;
    std::vector<Peer*> subscribers;
    std::vector<Peer*> gone;
    std::size_t next_worker = 0;
    std::string task_data; // of the task that came last: they are all as long
    std::string scratch;
};

class Peer : public Link {
public:
    Peer(Server& server, int fd) : Link(server.loop, fd), server_(server) {}

protected:
    Server& server() noexcept { return server_; }

private:
    void lost(std::string_view /*why*/) override { server_.gone.push_back(this); }

    Server& server_;
};

void append(std::string& out, auto... parts)
{
    (out.append(std::string_view(parts)), ...);
}

/// The fields of a task that is held, behind its id.
void append_task_tail(std::string& out, const Server& server, std::string_view status)
{
    append(out, R"(",)", std::string_view(server.task_data), R"(,"status":")", status,
           R"(","assignedTo":"worker-00000","assignedAt":)", moment, R"(,"lastUpdate":)", moment);
    if (status == "completed")
        append(out, R"(,"completedAt":)", moment);
    append(out, R"(,"attempt":1,"fence":)", revision, R"(,"createdAt":)", moment, "}");
}

class HttpPeer final : public Peer {
public:
    using Peer::Peer;

private:
    std::size_t received(std::string_view bytes) override
    {
        std::size_t used = 0;
        while (const auto message = http_message_at(bytes.substr(used))) {
            used += message->bytes();
            if (message->head.starts_with("POST /api/tasks/assign "))
                assign(message->body);
            else
                answer(worker);
        }
        return used;
    }

    void assign(std::string_view body)
    {
        const auto id = text_after(body, R"("taskId":")");
        constexpr std::string_view data = R"("taskData":{)";
        const auto start = body.find(data) + data.size();
        server().task_data.assign(body.substr(start, body.size() - start - 2));

        auto& text = server().scratch;
        if (!server().workers.empty()) {
            text.clear();
            append(text, R"({"type":"task_assigned","task":{"id":")", id);
            append_task_tail(text, server(), "assigned");
            append(text, R"(,"timestamp":)", moment, "}");
            append_frame(server().workers[server().next_worker++ % server().workers.size()]->out(), text);
        }
        text.clear();
        append(text, R"({"success":true,"task":{"id":")", id);
        append_task_tail(text, server(), "assigned");
        append(text, R"(,"workerId":"worker-00000","revision":)", revision, R"(,"durable":"memory"})");
        answer(text);
    }

    void answer(std::string_view body)
    {
        std::array<char, 20> length;
        const auto end = std::to_chars(length.data(), length.data() + length.size(), body.size()).ptr;
        append(out(), "HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: ",
               std::string_view(length.data(), static_cast<std::size_t>(end - length.data())), "\r\n\r\n",
               body);
    }
};

std::string accept_value(std::string_view key)
{
    const auto text = std::string(key) + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    std::array<unsigned char, SHA_DIGEST_LENGTH> digest;
    ::SHA1(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
    std::array<unsigned char, 64> value;
    const int size = ::EVP_EncodeBlock(value.data(), digest.data(), static_cast<int>(digest.size()));
    return {reinterpret_cast<const char*>(value.data()), static_cast<std::size_t>(size)};
}

class WsPeer final : public Peer {
public:
    using Peer::Peer;

private:
    std::size_t received(std::string_view bytes) override
    {
        std::size_t used = 0;
        if (!open_) {
            const auto request = http_message_at(bytes);
            if (!request)
                return 0;
            used = request->bytes();
            open_ = true;
            constexpr std::string_view name = "Sec-WebSocket-Key: ";
            const auto key = request->head.find(name) + name.size();
            out() += fmt::format(
                "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n"
                "Sec-WebSocket-Accept: {}\r\n\r\n",
                accept_value(request->head.substr(key, 24)));
        }
        while (const auto frame = frame_at(bytes.substr(used))) {
            used += frame->bytes;
            unmask(*frame, text_);
            if (frame->opcode == Frame::text)
                handle(text_);
        }
        return used;
    }

    void handle(std::string_view text)
    {
        const auto type = text_after(text, R"("type":")");
        auto& answer = server().scratch;
        answer.clear();
        if (type == "task_update") {
            if (text.find(R"("status":"in_progress")") != std::string_view::npos)
                announce(text_after(text, R"("taskId":")"));
            append(answer, R"({"type":"response","requestId":")", text_after(text, R"("requestId":")"),
                   R"(","success":true,"task":{"id":")", text_after(text, R"("taskId":")"));
            append_task_tail(answer, server(), "completed");
            append(answer, R"(,"revision":)", revision, R"(,"durable":"memory"})");
        } else if (type == "heartbeat") {
            append(answer, R"({"type":"heartbeat_ack","timestamp":)", moment, "}");
        } else if (type == "register") {
            server().workers.push_back(this);
            append(answer, R"({"type":"registered","workerId":")", text_after(text, R"("workerId":")"),
                   R"(","timestamp":)", moment, "}");
        } else {
            server().subscribers.push_back(this);
            append(answer, R"({"type":"response","requestId":")", text_after(text, R"("requestId":")"),
                   R"(","success":true,"revision":)", revision, "}");
        }
        append_frame(out(), answer);
    }

    void announce(std::string_view id)
    {
        auto& change = server().scratch;
        append(change, R"({"type":"state_change","change":{"collection":"tasks","key":")", id,
               R"(","operation":"update","revision":)", revision, R"(},"timestamp":)", moment, "}");
        for (auto* subscriber : server().subscribers)
            append_frame(subscriber->out(), change);
        change.clear();
    }

    bool open_ = false;
    std::string text_;
};

template <class P>
class Door final : public Source {
public:
    Door(Server& server, int fd) : Source(fd), server_(server) { server_.loop.add(*this); }

    void ready(Loop& /*loop*/, std::uint32_t /*events*/) override
    {
        for (int fd = accept_from(this->fd()); fd >= 0; fd = accept_from(this->fd()))
            server_.peers.push_back(std::make_unique<P>(server_, fd));
    }
    void flush(Loop& /*loop*/) override {}

private:
    Server& server_;
};

void bury(Server& server)
{
    for (auto* peer : server.gone) {
        std::erase(server.workers, peer);
        std::erase(server.subscribers, peer);
        std::erase_if(server.peers, [&](const auto& held) { return held.get() == peer; });
    }
    server.gone.clear();
}

} // namespace

int main(int argc, char** argv)
{
    std::array<std::uint16_t, 2> ports{9500, 9501};
    for (int i = 1; i < argc && i < 3; ++i)
        ports[static_cast<std::size_t>(i) - 1] = static_cast<std::uint16_t>(std::atoi(argv[i]));
    allow_many_descriptors();
    Server server;
    const Door<HttpPeer> http(server, listen_at(ports[0]));
    const Door<WsPeer> ws(server, listen_at(ports[1]));
    fmt::print("listening http=127.0.0.1:{} ws=127.0.0.1:{}\n", ports[0], ports[1]);
    std::fflush(stdout);
    for (;;) {
        server.loop.turn(-1);
        bury(server);
    }
}
