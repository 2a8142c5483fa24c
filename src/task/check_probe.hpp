#pragma once
// Does one check: an HTTP request, a TCP connection, or a command in the container.

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <memory>
#include <string>

#include "docker/engine.hpp"
#include "net/http_client.hpp"
#include "net/tls.hpp"
#include "task/check_machine.hpp"
#include "task/check_target.hpp"

namespace sidecar_executor::task {

class CheckProbe {
 public:
  CheckProbe(asio::any_io_executor executor, docker::Engine& engine,
             net::Cancellation& cancellation);

  /// Ends within the check's timeout and what Docker's own calls may take. After a cancellation the
  /// result means nothing.
  asio::awaitable<CheckResult> run(const mesos::Check& check, CheckTarget target);

 private:
  asio::awaitable<CheckResult> ask(const mesos::HttpCheck& http, const CheckTarget& target,
                                   SteadyTime end);
  asio::awaitable<CheckResult> connect(const mesos::TcpCheck& tcp, const CheckTarget& target,
                                       net::Duration timeout);
  asio::awaitable<CheckResult> execute(const mesos::CommandCheck& command, std::string container_id,
                                       SteadyTime end);
  asio::awaitable<CheckResult> follow(std::string exec_id, SteadyTime end);
  asio::awaitable<CheckResult> exit_of(std::string exec_id, std::string last_line, SteadyTime end);
  /// nullopt: nothing of an earlier check is left.
  asio::awaitable<std::optional<CheckResult>> earlier_command();
  Result<std::shared_ptr<const net::TlsContext>> tls();

  asio::any_io_executor executor_;
  docker::Engine& engine_;
  net::Cancellation& cancellation_;
  std::shared_ptr<const net::TlsContext> tls_;
  /// A command that did not end in time. Docker cannot end it, and a second one is not started
  /// beside it.
  std::string left_behind_;
};

}  // namespace sidecar_executor::task
