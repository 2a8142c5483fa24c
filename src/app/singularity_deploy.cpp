#include "app/singularity_deploy.hpp"

#include <algorithm>
#include <boost/json.hpp>

#include "mesos/json_field.hpp"

namespace sidecar_executor::app {
namespace {

namespace json = boost::json;
using mesos::JsonField;

constexpr std::int64_t first_port = 31'000;
constexpr std::int64_t most_ports = 1'000;

/// One conversion. Names of members are Singularity's on the right, Mesos' on the left.
class Converter {
 public:
  Converter(const JsonField& deploy, const JsonField& request)
      : deploy_(deploy),
        request_id_(first_of(deploy["requestId"], request["id"], "request")),
        deploy_id_(first_of(deploy["id"], deploy["deployId"], "deploy")),
        task_id_(request_id_ + "-" + deploy_id_ + "-1") {}

  DeployedTask convert() {
    auto& task = out_.task;
    task["name"] = request_id_;
    task["task_id"] = json::object{{"value", task_id_}};
    task["resources"] = resources();
    task["executor"] = json::object{{"executor_id", json::object{{"value", task_id_}}},
                                    {"command", json::object{{"environment", environment()}}}};
    if (const auto container = deploy_["containerInfo"]; container.present())
      task["container"] = container_info(container);
    list_unused();
    return std::move(out_);
  }

 private:
  static std::string first_of(const JsonField& a, const JsonField& b, const char* otherwise) {
    if (auto text = a.text()) return *text;
    return b.text().value_or(otherwise);
  }

  /// Singularity replaces these in values and paths.
  [[nodiscard]] std::string replaced(std::string text) const {
    const std::pair<std::string, std::string> variables[] = {{"${TASK_REQUEST_ID}", request_id_},
                                                             {"${TASK_DEPLOY_ID}", deploy_id_},
                                                             {"${TASK_ID}", task_id_},
                                                             {"${TASK_INSTANCE_NO}", "1"},
                                                             {"${TASK_HOST}", "TASK_HOST"}};
    for (const auto& [from, to] : variables) {
      for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
        text.replace(at, from.size(), to);
    }
    return text;
  }

  json::array resources() {
    json::array out;
    const auto add = [&out](const char* name, const JsonField& amount) {
      if (const auto value = amount.amount())
        out.push_back(json::object{
            {"name", name}, {"type", "SCALAR"}, {"scalar", json::object{{"value", *value}}}});
    };
    add("cpus", deploy_["resources"]["cpus"]);
    add("mem", deploy_["resources"]["memoryMb"]);
    add("disk", deploy_["resources"]["diskMb"]);
    ports_ = std::min(deploy_["resources"]["numPorts"].whole().value_or(0), most_ports);
    return out;
  }

  void add_variable(json::array& all, const std::string& name, const std::string& value) const {
    all.push_back(json::object{{"name", name}, {"type", "VALUE"}, {"value", value}});
  }

  void add_variables(json::array& all, const JsonField& map) const {
    map.members([&](const std::string& name, const JsonField& value) {
      add_variable(all, name, replaced(value.text_or_empty()));
    });
  }

  json::object environment() {
    json::array all;
    add_variables(all, deploy_["env"]);
    add_variables(all, deploy_["taskEnv"]["1"]);
    add_variable(all, "TASK_REQUEST_ID", request_id_);
    add_variable(all, "TASK_DEPLOY_ID", deploy_id_);
    add_variable(all, "TASK_ID", task_id_);
    add_variable(all, "TASK_HOST", "TASK_HOST");
    add_variable(all, "INSTANCE_NO", "1");
    for (std::int64_t i = 0; i < ports_; ++i) {
      const auto port = std::to_string(first_port + i);
      if (i == 0) add_variable(all, "PORT", port);
      add_variable(all, "PORT" + std::to_string(i), port);
    }
    out_.notes.emplace_back(
        "TASK_HOST stands for the agent's host name; Singularity adds variables of its own "
        "(STARTED_BY_USER, AVAILABILITY_ZONE and more)");
    if (ports_ > 0)
      out_.notes.push_back("ports " + std::to_string(first_port) +
                           " and up stand for those of an "
                           "offer");
    return {{"variables", std::move(all)}};
  }

  json::object container_info(const JsonField& container) {
    json::object out;
    out["type"] = container["type"].text_or_empty();
    json::array volumes;
    container["volumes"].each(
        [&](const JsonField& volume) { volumes.push_back(this->volume(volume)); });
    out["volumes"] = std::move(volumes);
    if (const auto docker = container["docker"]; docker.present())
      out["docker"] = docker_info(docker);
    return out;
  }

  json::object volume(const JsonField& from) {
    json::object out;
    out["container_path"] = replaced(from["containerPath"].text_or_empty());
    out["mode"] = from["mode"].text().value_or("RO");  // Singularity's default
    if (const auto host = from["hostPath"].text()) out["host_path"] = replaced(*host);
    const auto source = from["source"];
    if (!source.present()) return out;
    const auto docker = source["dockerVolume"];
    json::object volume;
    if (const auto driver = docker["driver"].text()) volume["driver"] = *driver;
    std::string name = docker["name"].text_or_empty();
    if (const auto at = name.find("%i"); at != std::string::npos) name.replace(at, 2, "1");
    volume["name"] = replaced(name);
    json::array options = pairs(docker["driverOptions"]);
    volume["driver_options"] = json::object{{"parameter", std::move(options)}};
    out["source"] =
        json::object{{"type", source["type"].text_or_empty()}, {"docker_volume", volume}};
    return out;
  }

  /// A map, as Mesos' list of key and value.
  static json::array pairs(const JsonField& map) {
    json::array out;
    map.members([&out](const std::string& key, const JsonField& value) {
      out.push_back(json::object{{"key", key}, {"value", value.text_or_empty()}});
    });
    return out;
  }

  json::object docker_info(const JsonField& docker) {
    json::object out;
    out["image"] = docker["image"].text_or_empty();
    out["network"] = docker["network"].text().value_or("HOST");  // written out by Mesos
    out["privileged"] = docker["privileged"].flag();
    out["force_pull_image"] = docker["forcePullImage"].flag();
    json::array parameters = pairs(docker["parameters"]);
    docker["dockerParameters"].each([&](const JsonField& item) {
      parameters.push_back(json::object{{"key", item["key"].text_or_empty()},
                                        {"value", item["value"].text_or_empty()}});
    });
    out["parameters"] = std::move(parameters);
    json::array mappings;
    docker["portMappings"].each([&](const JsonField& item) {
      const auto protocol = item["protocol"].text().value_or("tcp");
      mappings.push_back(json::object{{"container_port", port(item, "container")},
                                      {"host_port", port(item, "host")},
                                      {"protocol", protocol}});
    });
    out["port_mappings"] = std::move(mappings);
    return out;
  }

  /// FROM_OFFER: the number is an index into the ports of the offer.
  static std::int64_t port(const JsonField& mapping, const std::string& which) {
    constexpr std::int64_t highest = 65'535;
    const auto number = mapping[which + "Port"].whole(highest).value_or(0);
    const auto type = mapping[which + "PortType"].text();
    const bool literal = type ? *type == "LITERAL" : which == "container";
    return literal ? number : std::min(first_port + number, highest);
  }

  void list_unused_in(const JsonField& field, const std::string& path,
                      std::initializer_list<std::string_view> used) {
    if (!field.present() || !field.value()->is_object()) return;
    for (const auto& member : field.value()->get_object()) {
      const std::string_view name = member.key();
      if (std::find(used.begin(), used.end(), name) == used.end())
        out_.unused.push_back(path + std::string(name) + ": not used by the executor");
    }
  }

  void list_unused() {
    list_unused_in_deploy();
    list_unused_in(deploy_["resources"], "deploy.resources.",
                   {"cpus", "memoryMb", "diskMb", "numPorts"});
    const auto container = deploy_["containerInfo"];
    list_unused_in(container, "deploy.containerInfo.", {"type", "volumes", "docker"});
    list_unused_in(container["docker"], "deploy.containerInfo.docker.",
                   {"image", "network", "privileged", "forcePullImage", "parameters",
                    "dockerParameters", "portMappings"});
    std::size_t number = 0;
    container["volumes"].each([&](const JsonField& volume) {
      list_unused_in(volume, "deploy.containerInfo.volumes[" + std::to_string(number++) + "].",
                     {"containerPath", "hostPath", "mode", "source"});
    });
  }

  void list_unused_in_deploy() {
    constexpr std::string_view used[] = {"containerInfo", "env",     "taskEnv", "resources", "id",
                                         "requestId",     "deployId"};
    constexpr std::string_view command[] = {"command", "arguments", "shell", "executorData"};
    const auto among = [](const auto& all, std::string_view name) {
      return std::find(std::begin(all), std::end(all), name) != std::end(all);
    };
    for (const auto& member : deploy_.value()->get_object()) {
      const std::string_view name = member.key();
      if (among(used, name)) continue;
      out_.unused.push_back(
          "deploy." + std::string(name) + ": " +
          (among(command, name)
               ? "the container's command is the label executor.ShellCommand, or the image's"
               : "for Singularity and the agent, not used by the executor"));
    }
  }

  const JsonField& deploy_;
  std::string request_id_;
  std::string deploy_id_;
  std::string task_id_;
  std::int64_t ports_ = 0;
  DeployedTask out_;
};

}  // namespace

bool is_singularity_deploy(const json::object& document) {
  const auto* deploy = document.if_contains("deploy");
  return (deploy != nullptr && deploy->is_object()) || document.contains("containerInfo");
}

Result<DeployedTask> task_of_deploy(const json::object& document) {
  std::string problem;
  const json::value root(document);
  const JsonField whole(&root, "", problem);
  const auto* inner = document.if_contains("deploy");
  const bool wrapped = inner != nullptr && inner->is_object();
  const JsonField deploy = wrapped ? whole["deploy"] : JsonField(&root, "deploy", problem);
  const JsonField request = wrapped ? whole["request"] : JsonField(nullptr, "request", problem);
  auto out = Converter(deploy, request).convert();
  if (!problem.empty()) return Error{ErrorKind::invalid, problem};
  return out;
}

}  // namespace sidecar_executor::app
