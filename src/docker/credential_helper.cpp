#include "docker/credential_helper.hpp"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <optional>
#include <system_error>
#include <utility>

#include "base/text.hpp"

namespace sidecar_executor::docker {
namespace {

constexpr std::size_t most_output = 64 * 1024;  // one registry's credentials; ECR's are 3 KB
constexpr std::size_t longest_shown = 200;
constexpr auto look_every = std::chrono::milliseconds(5);

struct Pipe {
  int read_end = -1;
  int write_end = -1;
  Pipe() = default;
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  ~Pipe() {
    if (read_end >= 0) ::close(read_end);
    if (write_end >= 0) ::close(write_end);
  }
  bool open() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) return false;
    read_end = ends[0];
    write_end = ends[1];
    return true;
  }
};

/// A child and its group: killed and reaped at the latest when this goes.
class Child {
 public:
  explicit Child(pid_t pid) : pid_(pid) {}
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    if (status_) return;
    kill();
    ::waitpid(pid_, nullptr, 0);  // at once: SIGKILL was sent
  }
  void kill() const {
    if (!status_) ::kill(-pid_, SIGKILL);
  }
  /// wait(2)'s status when it has ended.
  std::optional<int> ended() {
    int status = 0;
    if (!status_ && ::waitpid(pid_, &status, WNOHANG) == pid_) status_ = status;
    return status_;
  }

 private:
  pid_t pid_;
  std::optional<int> status_;
};

Error failed(const std::string& program, int error) {
  const std::string hint = error == ENOENT ? "; it has to be on the PATH of the executor" : "";
  return {ErrorKind::invalid,
          program + " cannot be started: " + std::generic_category().message(error) + hint};
}

/// Starts the program with the pipes as stdin and stdout. The executor ignores SIGPIPE and SIGHUP;
/// a program of others shall find them as usual.
Result<pid_t> start(const std::string& program, const Pipe& in, const Pipe& out) {
  posix_spawn_file_actions_t files;
  posix_spawnattr_t attributes;
  ::posix_spawn_file_actions_init(&files);
  ::posix_spawn_file_actions_adddup2(&files, in.read_end, STDIN_FILENO);
  ::posix_spawn_file_actions_adddup2(&files, out.write_end, STDOUT_FILENO);
  ::posix_spawn_file_actions_addopen(&files, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  ::posix_spawnattr_init(&attributes);
  sigset_t usual;
  ::sigemptyset(&usual);
  ::sigaddset(&usual, SIGPIPE);
  ::sigaddset(&usual, SIGHUP);
  ::posix_spawnattr_setsigdefault(&attributes, &usual);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF);
  std::string name = program;
  std::string verb = "get";
  std::array<char*, 3> arguments{name.data(), verb.data(), nullptr};
  pid_t pid = 0;
  const int error =
      ::posix_spawnp(&pid, program.c_str(), &files, &attributes, arguments.data(), environ);
  ::posix_spawn_file_actions_destroy(&files);
  ::posix_spawnattr_destroy(&attributes);
  if (error != 0) return failed(program, error);
  return pid;
}

bool is_plain_name(const std::string& name) { return is_word(name, "-_.") && name.front() != '.'; }

/// Until the end of the output; kept up to the limit.
asio::awaitable<std::string> read_output(asio::posix::stream_descriptor& from) {
  std::string output;
  std::array<char, 4096> chunk{};
  boost::system::error_code ec;
  while (output.size() <= most_output) {
    const auto got = co_await from.async_read_some(asio::buffer(chunk),
                                                   asio::redirect_error(asio::use_awaitable, ec));
    if (ec) break;
    output.append(chunk.data(), got);
  }
  co_return output;
}

Result<std::string> judged(const std::string& program, int status, std::string output) {
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return output;
  // The programs print what went wrong on stdout (credentials.HandleCommand).
  if (output.find("credentials not found") != std::string::npos)
    return Error{ErrorKind::not_found, program + " has no credentials for the registry"};
  const auto how = WIFEXITED(status) ? "exit code " + std::to_string(WEXITSTATUS(status))
                                     : "signal " + std::to_string(WTERMSIG(status));
  return Error{ErrorKind::refused,
               program + " failed with " + how + ": " + one_line(output, longest_shown)};
}

}  // namespace

asio::awaitable<Result<std::string>> ask_credential_helper(asio::any_io_executor executor,
                                                           CredentialHelper helper,
                                                           net::Cancellation& cancellation,
                                                           net::Duration limit) {
  const std::string program = "docker-credential-" + helper.name;
  const Error cancelled{ErrorKind::cancelled, program + " cancelled"};
  if (cancellation.cancelled()) co_return cancelled;
  if (!is_plain_name(helper.name))
    co_return Error{ErrorKind::invalid, "\"" + one_line(helper.name, longest_shown) +
                                            "\" is no name of a credential helper"};
  Pipe in;
  Pipe out;
  if (!in.open() || !out.open()) co_return failed(program, errno);
  // Into the pipe before there is a reader: a server's name fits, and nobody can break it.
  const auto written = ::write(in.write_end, helper.server.data(), helper.server.size());
  if (written != static_cast<ssize_t>(helper.server.size())) co_return failed(program, EMSGSIZE);
  ::close(std::exchange(in.write_end, -1));
  const auto pid = start(program, in, out);
  if (!pid) co_return pid.error();
  ::close(std::exchange(out.write_end, -1));

  Child child(*pid);
  asio::posix::stream_descriptor from(executor, std::exchange(out.read_end, -1));
  const auto give_up = [&] {
    child.kill();
    boost::system::error_code ignored;
    from.close(ignored);
  };
  const net::Deadline deadline(executor, limit, give_up);
  const auto hook = cancellation.on_cancel(give_up);
  auto output = co_await read_output(from);
  if (output.size() > most_output) {
    co_return Error{ErrorKind::too_large, program + " printed more than 64 KiB"};
  }
  // It closed its output, so it is about to end.
  while (!child.ended() && !deadline.expired() && !cancellation.cancelled())
    co_await net::sleep_for(look_every, cancellation);
  if (cancellation.cancelled()) co_return cancelled;
  if (deadline.expired())
    co_return Error{ErrorKind::timeout,
                    program + " did not answer within " + net::limit_text(limit)};
  co_return judged(program, *child.ended(), std::move(output));
}

}  // namespace sidecar_executor::docker
