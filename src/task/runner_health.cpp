// The part of the runner that talks to Sidecar and asks the cluster for its hosts.
#include "base/text.hpp"
#include "base/timeouts.hpp"
#include "mesos/cluster.hpp"
#include "task/runner.hpp"

namespace sidecar_executor::task {

/// The image's too, as Docker tells them; what was asked for when it did not tell.
const Runner::Labels& Runner::labels() const {
  return container_.labels.empty() ? spec_->labels : container_.labels;
}

/// Label SidecarDiscover, as Sidecar itself reads it: anything that does not parse as false is yes.
bool Runner::checked_by_sidecar() const {
  for (const auto& [name, value] : labels()) {
    if (name != "SidecarDiscover") continue;
    const auto discover = parse_go_bool(value);
    if (discover && !*discover) return false;
  }
  return true;
}

/// nullopt: Sidecar cannot be asked, and the log says why.
std::optional<sidecar::Client> Runner::sidecar_client() const {
  std::string host = config_.environment("TASK_HOST").value_or("");
  if (host.empty()) host = mesos::executor_variable(*task_, "TASK_HOST").value_or("");
  if (host.empty()) host = agent_hostname_;
  auto config = sidecar::client_config(config_.settings, std::move(host));
  if (!config) {
    log_.error("Sidecar cannot be asked, ignoring", {{"error", config.error().message}});
    return std::nullopt;
  }
  return sidecar::Client(loop_.get_executor(), std::move(*config));
}

asio::awaitable<void> Runner::watch_health() {
  auto client = sidecar_client();
  if (!client) co_return;
  sidecar::HealthWatchConfig config;
  config.id12 = container_.id.substr(0, 12);
  config.backoff = config_.settings.sidecar_backoff;
  config.poll_interval = config_.settings.sidecar_poll_interval;
  config.max_fails = config_.settings.sidecar_max_fails;
  sidecar::HealthWatch watch(
      *client, log_, config,
      {[this](bool healthy, std::string message) {
         post(event::HealthChanged{healthy, std::move(message)});
       },
       [this](std::string message) { stop_unhealthy(std::move(message)); },
       [this](bool healthy, std::string text) { health_known(healthy, std::move(text)); }});
  co_await watch.run(health_cancel_);
}

asio::awaitable<void> Runner::drain() {
  const std::string id12 = container_.id.substr(0, 12);
  log_.info("Draining the service in Sidecar", {{"service", id12}});
  auto client = sidecar_client();
  if (!client) co_return post(event::DrainAnswered{false});
  const auto drained =
      co_await client->drain(id12, drain_cancel_, [this] { post(event::DrainAnswered{false}); });
  if (drained) {
    log_.info("Sidecar drains the service");
    post(event::DrainAnswered{true});
  } else if (!drain_cancel_.cancelled()) {
    log_.warning("Sidecar does not drain the service, it is stopped all the same",
                 {{"error", drained.error().message}});
  }
}

asio::awaitable<Result<std::vector<std::string>>> Runner::seeds() {
  // By TCP also where the executor API goes over a domain socket, which serves nothing else.
  net::Address agent = config_.agent.agent;
  agent.unix_path.clear();
  auto hosts =
      co_await mesos::cluster_hosts(loop_.get_executor(), agent, config_.settings.mesos_master_port,
                                    launch_cancel_, timeouts::cluster_document);
  if (!hosts) co_return hosts;
  if (const auto dropped = mesos::keep_what_fits(*hosts); dropped > 0) {
    log_.warning("More seeds than fit into SIDECAR_SEEDS, the last ones are left out",
                 {{"left_out", std::to_string(dropped)}});
  }
  co_return hosts;
}

}  // namespace sidecar_executor::task
