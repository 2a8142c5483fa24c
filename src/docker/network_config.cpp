#include "docker/network_config.hpp"

#include <algorithm>
#include <boost/json.hpp>
#include <utility>

#include "base/text.hpp"
#include "docker/body_parts.hpp"
#include "docker/parameter_values.hpp"

namespace sidecar_executor::docker {
namespace {

namespace json = boost::json;
using mesos::DockerNetwork;

constexpr std::size_t longest_shown = 100;

/// Docker's `default` and `bridge` mean the same.
bool is_default(std::string_view name) { return name == "default" || name == "bridge"; }

/// One that somebody made with `docker network create`.
bool is_own(std::string_view name) {
  return !is_default(name) && name != "host" && name != "none" && !name.starts_with("container:");
}

bool same_network(std::string_view a, std::string_view b) {
  return a == b || (is_default(a) && is_default(b));
}

/// NetworkInfo.ip_addresses are addresses that the framework asks for.
Result<void> ask_for_addresses(const mesos::NetworkInfo& info, const std::string& path,
                               json::object& endpoint) {
  for (std::size_t i = 0; i < info.ip_addresses.size(); ++i) {
    const auto& address = info.ip_addresses[i];
    if (!is_ip_address(address))
      return invalid(indexed(path + ".ip_addresses", i) +
                     ".ip_address: expected an IP address, found \"" +
                     one_line(address, longest_shown) + "\"");
    auto& ipam = object_at(endpoint["IPAMConfig"]);
    ipam[is_ipv4_address(address) ? "IPv4Address" : "IPv6Address"] = address;
  }
  return boost::system::in_place_value;
}

/// The networks that the task's fields name; none when they leave it open.
Result<std::vector<NetworkRequest>> named_by_fields(const mesos::ContainerInfo& container) {
  std::vector<NetworkRequest> out;
  switch (container.docker ? container.docker->network : DockerNetwork::absent) {
    case DockerNetwork::host:
      return std::vector<NetworkRequest>{{"host", {}}};
    case DockerNetwork::none:
      return std::vector<NetworkRequest>{{"none", {}}};
    case DockerNetwork::bridge:
      return std::vector<NetworkRequest>{{"default", {}}};
    case DockerNetwork::absent:
      return out;
    case DockerNetwork::user:
      break;
  }
  const auto& infos = container.network_infos;
  for (std::size_t i = 0; i < std::max<std::size_t>(infos.size(), 1); ++i) {
    const auto path = indexed("container.network_infos", i);
    if (infos.empty() || infos[i].name.empty())
      return invalid(path + ".name: missing; network USER needs the name of a Docker network");
    NetworkRequest request{infos[i].name, {}};
    auto asked = ask_for_addresses(infos[i], path, request.endpoint);
    if (!asked) return asked.error();
    out.push_back(std::move(request));
  }
  return out;
}

void merge(json::object& into, const json::object& from) {
  for (const auto& member : from) {
    auto& there = into[member.key()];
    if (there.is_object() && member.value().is_object()) {
      merge(there.get_object(), member.value().get_object());
    } else if (there.is_array() && member.value().is_array()) {
      for (const auto& item : member.value().get_array()) there.get_array().push_back(item);
    } else {
      there = member.value();
    }
  }
}

/// The `network` parameters: the fields win. All of them when the fields leave it open.
std::vector<NetworkRequest> with_parameters(std::vector<NetworkRequest> fields,
                                            ParameterValues& values) {
  if (fields.empty()) fields = std::exchange(values.networks, {});
  for (const auto& asked : values.networks) {
    const auto same = std::find_if(fields.begin(), fields.end(), [&asked](const auto& field) {
      return same_network(field.name, asked.name);
    });
    if (same != fields.end()) {
      merge(same->endpoint, asked.endpoint);
    } else {
      values.warnings.push_back("parameter \"network\": container.docker.network says " +
                                one_line(fields.front().name, longest_shown) +
                                " and wins, ignoring");
    }
  }
  values.networks.clear();
  if (fields.empty()) fields.push_back({"default", {}});
  return fields;
}

/// What Docker refuses in a network that is not one's own, taken out: the names of the parameters.
std::vector<std::string> refused_in(const std::string& network, json::object& endpoint) {
  std::vector<std::string> out;
  const auto take = [&out](json::object& from, std::string_view member, std::string_view name) {
    if (from.erase(member) > 0) out.emplace_back(name);
  };
  if (auto* ipam = endpoint.if_contains("IPAMConfig")) {
    take(ipam->get_object(), "IPv4Address", "ip");
    take(ipam->get_object(), "IPv6Address", "ip6");
    if (ipam->get_object().empty()) endpoint.erase("IPAMConfig");
  }
  take(endpoint, "Aliases", "network-alias");
  if (!is_default(network)) take(endpoint, "MacAddress", "mac-address");
  return out;
}

Result<void> check(NetworkRequest& request, bool strict, std::vector<std::string>& warnings) {
  if (is_own(request.name)) return boost::system::in_place_value;
  for (const auto& name : refused_in(request.name, request.endpoint)) {
    auto said = parameter_fault("container.docker.parameters",
                                "parameter \"" + name + "\": network " +
                                    one_line(request.name, longest_shown) +
                                    " does not have it, only networks made by docker network "
                                    "create do",
                                strict, warnings);
    if (!said) return said;
  }
  return boost::system::in_place_value;
}

/// Fields of `network` that only later versions of the API have.
void note_needs(const std::vector<NetworkRequest>& networks, std::vector<ApiNeed>& needs) {
  for (std::size_t i = 0; i < networks.size(); ++i) {
    const auto& endpoint = networks[i].endpoint;
    const auto* priority = endpoint.if_contains("GwPriority");
    if (priority != nullptr && *priority != 0) needs.push_back({"network (gw-priority)", 48});
    // The first one's is the container's own, which every Docker knows.
    if (i > 0 && endpoint.contains("MacAddress")) needs.push_back({"network (mac-address)", 44});
  }
}

/// A MAC address alone is said by the container's own member (Docker before 1.44 knows no other).
bool needs_endpoint(const NetworkRequest& first) {
  const bool only_mac = first.endpoint.size() == 1 && first.endpoint.contains("MacAddress");
  return is_own(first.name) || !only_mac;
}

/// `link`: the default network takes it from the HostConfig, one's own from the endpoint.
Result<void> check_links(NetworkRequest& first, ParameterValues& values, bool strict) {
  auto* host = values.body.if_contains("HostConfig");
  if (host == nullptr || !host->get_object().contains("Links"))
    return boost::system::in_place_value;
  auto& links = host->get_object()["Links"];
  if (is_own(first.name)) {
    first.endpoint["Links"] = links;
  } else if (!is_default(first.name)) {
    host->get_object().erase("Links");
    return parameter_fault(
        "container.docker.parameters",
        "parameter \"link\": network " + one_line(first.name, longest_shown) + " has no links",
        strict, values.warnings);
  }
  return boost::system::in_place_value;
}

}  // namespace

Result<NetworkPlan> plan_networks(const mesos::ContainerInfo& container, ParameterValues& values,
                                  bool strict) {
  auto fields = named_by_fields(container);
  if (!fields) return fields.error();
  auto networks = with_parameters(std::move(*fields), values);
  auto& first = networks.front();
  merge(first.endpoint, values.endpoint);
  auto linked = check_links(first, values, strict);
  if (!linked) return linked.error();
  for (auto& network : networks) {
    auto checked = check(network, strict, values.warnings);
    if (!checked) return checked.error();
  }
  note_needs(networks, values.needs);
  NetworkPlan out;
  out.mode = first.name;
  if (const auto* mac = first.endpoint.if_contains("MacAddress"))
    out.mac_address = mac->as_string();
  if (needs_endpoint(first)) out.endpoint = std::move(first.endpoint);
  out.more.assign(std::make_move_iterator(networks.begin() + 1),
                  std::make_move_iterator(networks.end()));
  return out;
}

}  // namespace sidecar_executor::docker
