// Nothing the session holds grows with time: after thousands of reconnects, updates and events the
// heap is as big as after the first hundred. The agent is a process of its own, so that its memory
// does not count.
#include <malloc.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <system_error>

#include "component/mesos/fake_agent.hpp"
#include "support/sanitized.hpp"

namespace sidecar_executor::mesos {
namespace {

/// More than any jitter of buffers, far less than a byte a round.
constexpr std::size_t allowed_growth = 8 * 1024;

void write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n <= 0) return;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
}

/// One request, head and body; empty when the client went away.
std::string read_request(int fd) {
  std::string got;
  std::size_t wanted = std::string::npos;
  char buffer[16 * 1024];
  while (got.size() < wanted) {
    const ssize_t n = ::recv(fd, buffer, sizeof buffer, 0);
    if (n <= 0) return {};
    got.append(buffer, static_cast<std::size_t>(n));
    const auto end = got.find("\r\n\r\n");
    if (wanted != std::string::npos || end == std::string::npos) continue;
    const auto at = got.find("Content-Length: ");
    wanted = end + 4 + (at < end ? std::stoul(got.substr(at + 16)) : 0);
  }
  return got;
}

std::string between(const std::string& text, const std::string& before, const std::string& after) {
  const auto from = text.find(before);
  if (from == std::string::npos) return {};
  const auto at = from + before.size();
  return text.substr(at, text.find(after, at) - at);
}

enum class Manner { hangs_up, acknowledges };

/// Serves until it is killed. Ends the stream after SUBSCRIBED, or keeps it and acknowledges.
[[noreturn]] void serve(int listener, Manner manner) {
  int stream = -1;
  for (;;) {
    const int fd = ::accept(listener, nullptr, nullptr);
    if (fd < 0) ::_exit(1);
    const std::string request = read_request(fd);
    if (request.find(R"("type":"SUBSCRIBE")") != std::string::npos) {
      write_all(fd, chunked_head() + event_chunk(subscribed_event));
      if (manner == Manner::hangs_up) {
        write_all(fd, chunk(""));
        ::close(fd);
      } else {
        if (stream >= 0) ::close(stream);
        stream = fd;
      }
      continue;
    }
    write_all(fd, answer(202));
    ::close(fd);
    const std::string uuid = between(request, R"("uuid":")", "\"");
    const std::string task = between(request, R"("task_id":{"value":")", "\"");
    write_all(stream, event_chunk(ack_event(task, uuid)) + event_chunk(R"({"type":"HEARTBEAT"})"));
  }
}

class ServerProcess {
 public:
  explicit ServerProcess(Manner manner) {
    const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in where{};
    where.sin_family = AF_INET;
    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof where;
    auto* generic = reinterpret_cast<sockaddr*>(&where);
    if (listener < 0 || ::bind(listener, generic, size) != 0 ||
        ::getsockname(listener, generic, &size) != 0 || ::listen(listener, 16) != 0) {
      throw std::system_error(errno, std::generic_category(), "listen");
    }
    address_.host = "127.0.0.1";
    address_.port = ntohs(where.sin_port);
    pid_ = ::fork();
    if (pid_ == 0) serve(listener, manner);
    ::close(listener);
  }
  ~ServerProcess() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;
  [[nodiscard]] const net::Address& address() const { return address_; }

 private:
  pid_t pid_ = -1;
  net::Address address_;
};

constexpr int many = test::sanitized ? 1'000 : 10'000;

std::size_t heap() {
  ::malloc_trim(0);
  return ::mallinfo2().uordblks;
}

class GrowthTest : public ::testing::Test {
 protected:
  /// A session whose log goes nowhere.
  void start(const ServerProcess& server) {
    environment.agent = server.address();
    environment.identity = {"framework", "executor"};
    environment.checkpoint = true;
    environment.recovery_timeout = 10min;
    environment.subscription_backoff_max = 1ms;
    AgentSession::Handlers handlers;
    handlers.on_event = [](const Event&) {};
    handlers.on_connection = [this](bool up) { connects += up ? 1 : 0; };
    handlers.on_all_acknowledged = [this] { ++rounds; };
    handlers.on_lost = [](const std::string& why) { FAIL() << why; };
    session.emplace(loop.executor(), environment, log_, std::move(handlers));
    running_.emplace(loop.start([this] { return session->run(); }));
  }
  void TearDown() override {
    session->close();
    loop.finish(*running_);
    ::close(null_);
  }

  test::Loop loop;
  AgentEnvironment environment;
  std::optional<AgentSession> session;
  int connects = 0;
  int rounds = 0;

 private:
  int null_ = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
  OutputBuffer out_{null_};
  Log log_{out_};
  std::optional<test::Started<test::Nothing>> running_;
};

TEST_F(GrowthTest, TenThousandReconnects) {
  const ServerProcess server(Manner::hangs_up);
  start(server);
  const auto reach = [this](int count) {
    loop.until([this, count] { return connects >= count; }, "the reconnects", 50s);
    loop.until([this] { return !session->connected(); }, "the end of the stream");
    return heap();
  };
  const std::size_t before = reach(100);
  const std::size_t after = reach(100 + many);
  RecordProperty("heap_before", std::to_string(before));
  RecordProperty("heap_after", std::to_string(after));
  EXPECT_LE(after, before + allowed_growth);
}

TEST_F(GrowthTest, TenThousandUpdatesAndEvents) {
  const ServerProcess server(Manner::acknowledges);
  start(server);
  const auto reach = [this](int count) {
    while (rounds < count) {
      const int next = rounds + 1;
      StatusUpdate update;
      update.task_id = "task";
      update.state = TaskState::running;
      update.message = "healthy again";
      session->report(update);
      loop.until([this, next] { return rounds >= next; }, "the acknowledgement");
    }
    return heap();
  };
  const std::size_t before = reach(100);
  const std::size_t after = reach(100 + many);
  RecordProperty("heap_before", std::to_string(before));
  RecordProperty("heap_after", std::to_string(after));
  EXPECT_LE(after, before + allowed_growth);
  EXPECT_EQ(connects, 1);
}

}  // namespace
}  // namespace sidecar_executor::mesos
