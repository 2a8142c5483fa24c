#include "task/relay_run.hpp"

#include <algorithm>

#include "base/go_duration.hpp"
#include "net/address.hpp"

namespace sidecar_executor::task {
namespace {

/// What is on its way when the startup time is over may still arrive.
constexpr auto last_send = std::chrono::seconds(1);

relay::RecordFields fields(const Settings& settings, const std::string& container_id,
                           const std::vector<std::pair<std::string, std::string>>& labels) {
  relay::RecordFields out;
  out.format = settings.syslog_format;
  out.host = settings.log_hostname;
  out.container = container_id.substr(0, 12);
  for (const auto& wanted : settings.send_docker_labels) {
    // The last one wins, as in Docker.
    const auto found = std::find_if(labels.rbegin(), labels.rend(),
                                    [&wanted](const auto& label) { return label.first == wanted; });
    if (found != labels.rend()) out.labels.push_back(*found);
  }
  return out;
}

}  // namespace

relay::SinkConfig sink_config(const Settings& settings) {
  relay::SinkConfig out;
  out.protocol = settings.syslog_protocol;
  if (settings.syslog_protocol == SyslogProtocol::unix_socket) {
    out.address.unix_path = settings.syslog_addr;
  } else if (const auto address = net::parse_host_port(settings.syslog_addr)) {
    out.address = *address;  // a bad one never gets here: it is refused with the settings
  }
  return out;
}

bool relays(const Settings& settings) {
  return settings.relay_syslog || settings.relay_syslog_startup_only;
}

RelayRun::RelayRun(const asio::any_io_executor& executor, docker::Engine& engine, Log& log,
                   const Settings& settings, const docker::ContainerState& container,
                   const std::vector<std::pair<std::string, std::string>>& labels)
    : log_(log),
      settings_(settings),
      copy_(settings.container_logs_stdout ? &log.output() : nullptr),
      lost_before_(log.output().dropped_bytes()),
      sink_(executor, sink_config(settings),
            {[&log](const Error& error) {
               log.warning("The syslog collector does not take log lines",
                           {{"error", error.message}});
             },
             [&log] { log.info("The syslog collector takes log lines again"); }}),
      relay_(sink_, fields(settings, container.id, labels), copy_),
      follow_(executor, engine, relay_, log, {container.id, container.tty}),
      container_id_(container.id),
      over_(executor) {}

asio::awaitable<void> RelayRun::run() {
  log_start();
  std::optional<net::Deadline> startup;
  std::optional<net::Deadline> last;
  if (settings_.relay_syslog_startup_only) {
    const auto executor = over_.executor();
    startup.emplace(executor, settings_.relay_syslog_startup_time, [this, &last, executor] {
      log_.info("RelaySyslogStartupTime is over, the log relay ends");
      follow_.stop();
      last.emplace(executor, last_send, [this] { follow_.give_up(); });
    });
  }
  to_the_end_ = co_await follow_.run();
  sink_.close();
  log_totals();
  is_over_ = true;
  over_.raise();
}

asio::awaitable<bool> RelayRun::in_stdout(net::Duration limit) {
  if (copy_ == nullptr) co_return false;
  if (!is_over_) co_await over_.wait(std::chrono::steady_clock::now() + limit);
  // A slow reader of stdout costs the newest lines.
  if (to_the_end_ && copy_->dropped_bytes() == lost_before_) co_return true;
  copy_ = nullptr;
  relay_.end_copy();
  co_return false;
}

asio::awaitable<void> RelayRun::finish(net::Duration limit) {
  if (!is_over_) co_await over_.wait(std::chrono::steady_clock::now() + limit);
  if (is_over_) co_return;
  log_.warning("The log relay does not come to its end in time, the last lines are not sent");
  give_up();
  co_await over_.wait();
}

void RelayRun::log_start() const {
  log_.info("Relaying the container's log",
            {{"to", settings_.syslog_addr},
             {"id", container_id_.substr(0, 12)},
             {"for", settings_.relay_syslog_startup_only
                         ? format_go_duration(settings_.relay_syslog_startup_time)
                         : "all of its life"}});
  if (relay_.labels_left_out()) {
    log_.warning("SendDockerLabels are longer than 32 KB together, they are not sent");
  }
}

void RelayRun::log_totals() {
  const auto& lines = relay_.counters();
  const auto& sent = sink_.counters();
  log_.info("Log relay ended", {{"lines", std::to_string(lines.lines)},
                                {"bytes", std::to_string(lines.bytes)},
                                {"records", std::to_string(sent.records)},
                                {"dropped", std::to_string(sent.dropped)},
                                {"cut", std::to_string(lines.parted + lines.cut)}});
}

}  // namespace sidecar_executor::task
