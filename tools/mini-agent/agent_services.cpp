// What else listens on the executor's host: the stand-ins for Sidecar and Vault.
#include <cstdlib>

#include "agent.hpp"

namespace mini_agent {

namespace json = boost::json;

void MiniAgent::start_sidecar() {
  if (!options_.sidecar.on) return;
  // What the executor would see, so that both ask the same daemon about the same host.
  const auto environment = executor_environment();
  const auto variable = [&environment](const std::string& name, std::string otherwise) {
    for (const auto& assignment : environment) {
      if (assignment.starts_with(name + "=")) return assignment.substr(name.size() + 1);
    }
    return otherwise;
  };
  const char* ours = std::getenv("DOCKER_HOST");
  sidecar_ = std::make_unique<StandInSidecar>(
      io_, options_.sidecar,
      options_.sidecar.host.empty() ? variable("TASK_HOST", options_.hostname)
                                    : options_.sidecar.host,
      variable("DOCKER_HOST", ours != nullptr ? ours : ""),
      [this](const char* event, json::object details) { emit(event, std::move(details)); });
  sidecar_->listen();
  emit("sidecar_listening", {{"url", sidecar_->url()}});
}

void MiniAgent::start_vault() {
  const VaultOptions& wanted = options_.vault;
  if (!wanted.on) return;
  vault_ = std::make_unique<StandInVault>(
      io_, wanted,
      [this](const char* event, json::object details) { emit(event, std::move(details)); });
  vault_->listen();
  emit("vault_listening", {{"address", vault_->address()}});
  if (wanted.down_from) after(*wanted.down_from, [this] { vault_->go_down(); });
  if (wanted.down_until) after(*wanted.down_until, [this] { vault_->come_back(); });
  if (wanted.revoke_after) after(*wanted.revoke_after, [this] { vault_->revoke_all(); });
}

}  // namespace mini_agent
