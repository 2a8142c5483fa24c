// Networks: the task's fields against the parameters, seen in the create body.

#include "docker/network_config.hpp"

#include "asked.hpp"

namespace sidecar_executor::docker {
namespace {

using mesos::DockerNetwork;

Asked on(DockerNetwork network, std::vector<std::string> names = {}) {
  Asked asked;
  asked.docker().network = network;
  for (auto& name : names) asked.task.container->network_infos.push_back({std::move(name), {}, {}});
  return asked;
}

TEST(Networks, ModeOfTheField) {
  const std::pair<DockerNetwork, const char*> table[] = {
      {DockerNetwork::host, "host"}, {DockerNetwork::bridge, "default"},
      {DockerNetwork::none, "none"}, {DockerNetwork::absent, "default"},
      {DockerNetwork::user, "blue"},
  };
  for (const auto& [network, mode] : table) {
    auto asked = on(network, {"blue"});
    EXPECT_EQ(asked.host().at("NetworkMode").as_string(), mode);
    EXPECT_FALSE(asked.body().contains("NetworkingConfig"));
  }
}

TEST(Networks, UserNeedsNames) {
  EXPECT_EQ(on(DockerNetwork::user).error(),
            "container.network_infos[0].name: missing; network USER needs the name of a Docker "
            "network");
  EXPECT_NE(on(DockerNetwork::user, {"a", ""}).error().find("network_infos[1].name"),
            std::string::npos);
}

TEST(Networks, SeveralAreConnectedOneByOne) {
  auto asked = on(DockerNetwork::user, {"blue", "red", "green"});
  const auto spec = asked.spec();
  ASSERT_TRUE(spec);
  EXPECT_EQ(asked.host().at("NetworkMode").as_string(), "blue");
  ASSERT_EQ(spec->more_networks.size(), 2U);
  EXPECT_EQ(spec->more_networks[0].name, "red");
  EXPECT_EQ(spec->more_networks[1].name, "green");
}

TEST(Networks, AddressesThatTheFrameworkAsksFor) {
  auto asked = on(DockerNetwork::user, {"blue"});
  asked.task.container->network_infos[0].ip_addresses = {"172.30.0.5", "fd00::5"};
  EXPECT_EQ(json::serialize(asked.body().at("NetworkingConfig")),
            R"({"EndpointsConfig":{"blue":{"IPAMConfig":)"
            R"({"IPv4Address":"172.30.0.5","IPv6Address":"fd00::5"}}}})");
  asked.task.container->network_infos[0].ip_addresses = {"here"};
  EXPECT_EQ(asked.error(),
            "container.network_infos[0].ip_addresses[0].ip_address: expected an IP address, found "
            "\"here\"");
}

TEST(Networks, PortsOfANetwork) {
  auto asked = on(DockerNetwork::user, {"blue"});
  asked.docker().port_mappings = {{31000, 80, "tcp"}};
  asked.task.container->network_infos[0].port_mappings = {{31000, 80, "tcp"}, {31001, 81, "udp"}};
  EXPECT_EQ(json::serialize(asked.host().at("PortBindings")),
            R"({"80/tcp":[{"HostPort":"31000"}],"81/udp":[{"HostPort":"31001"}]})");
  EXPECT_EQ(asked.spec()->env, (Texts{"MESOS_PORT_80=31000", "MESOS_PORT_81=31001"}));
  asked.task.container->network_infos[0].port_mappings = {{1, 0, ""}};
  EXPECT_NE(asked.error().find("container.network_infos[0].port_mappings[0].container_port"),
            std::string::npos);
}

TEST(Networks, ParametersCountWhenTheFieldIsAbsent) {
  auto asked = on(DockerNetwork::absent);
  asked.parameter("network", "name=blue,alias=web").parameter("net", "red");
  asked.parameter("ip", "172.30.0.5").parameter("network-alias", "www");
  const auto spec = asked.spec();
  ASSERT_TRUE(spec);
  EXPECT_TRUE(spec->warnings.empty());
  EXPECT_EQ(json::serialize(spec->body.at("NetworkingConfig")),
            R"({"EndpointsConfig":{"blue":{"Aliases":["web","www"],)"
            R"("IPAMConfig":{"IPv4Address":"172.30.0.5"}}}})");
  EXPECT_EQ(spec->body.at("HostConfig").at("NetworkMode"), "blue");
  EXPECT_EQ(spec->more_networks.at(0).name, "red");
}

TEST(Networks, TheFieldWins) {
  auto asked = on(DockerNetwork::host);
  asked.settings.strict_parameters = true;  // a field that wins is no fault
  asked.parameter("network", "blue").parameter("network", "host");
  const auto spec = asked.spec();
  ASSERT_TRUE(spec);
  EXPECT_EQ(spec->body.at("HostConfig").at("NetworkMode"), "host");
  EXPECT_EQ(spec->warnings, (Texts{"parameter \"network\": container.docker.network says host and "
                                   "wins, ignoring"}));
  auto other = on(DockerNetwork::bridge);
  other.parameter("network", "blue");
  EXPECT_EQ(other.spec()->warnings, (Texts{"parameter \"network\": container.docker.network says "
                                           "default and wins, ignoring"}));
  auto same = on(DockerNetwork::bridge);
  same.parameter("network", "bridge");
  EXPECT_TRUE(same.spec()->warnings.empty());
  auto user = on(DockerNetwork::user, {"blue"});
  user.parameter("network", "name=blue,alias=web");
  EXPECT_EQ(json::serialize(user.body().at("NetworkingConfig")),
            R"({"EndpointsConfig":{"blue":{"Aliases":["web"]}}})");
  user.task.container->network_infos[0].ip_addresses = {"172.30.0.5"};
  user.parameter("ip6", "fd00::5");
  EXPECT_EQ(json::serialize(user.body().at("NetworkingConfig")),
            R"({"EndpointsConfig":{"blue":{"IPAMConfig":{"IPv4Address":"172.30.0.5",)"
            R"("IPv6Address":"fd00::5"},"Aliases":["web"]}}})")
      << "an address of each is no conflict";
}

TEST(Networks, WhatDockerRefusesInItsOwnNetworks) {
  const struct {
    DockerNetwork network;
    const char* key;
    const char* value;
    const char* says;
  } table[] = {
      {DockerNetwork::bridge, "ip", "10.0.0.1", "parameter \"ip\": network default "},
      {DockerNetwork::bridge, "network-alias", "a", "parameter \"network-alias\": network default"},
      {DockerNetwork::host, "ip6", "::1", "parameter \"ip6\": network host does not have it"},
      {DockerNetwork::none, "network", "name=none,alias=a", "parameter \"network-alias\": network"},
      {DockerNetwork::host, "mac-address", "02:42:ac:11:00:02", "parameter \"mac-address\""},
      {DockerNetwork::host, "link", "db", "parameter \"link\": network host has no links"},
  };
  for (const auto& row : table) {
    auto asked = on(row.network);
    asked.parameter(row.key, row.value);
    EXPECT_TRUE(has(asked.spec()->warnings, row.says)) << row.key;
    const auto body = json::serialize(asked.body());
    EXPECT_EQ(body.find(std::string("\"") + row.value + "\""), std::string::npos) << body;
    asked.settings.strict_parameters = true;
    EXPECT_EQ(asked.error().find("container.docker.parameters: parameter"), 0U) << asked.error();
  }
}

TEST(Networks, WhatDockerTakesInItsOwnNetworks) {
  const struct {
    const char* key;
    const char* value;
    const char* endpoints;
  } table[] = {
      {"network", "name=bridge,driver-opt=a=b", R"({"bridge":{"DriverOpts":{"a":"b"}}})"},
      {"network", "name=host,gw-priority=1", R"({"host":{"GwPriority":1}})"},
      {"network", "name=none,link-local-ip=169.254.1.1",
       R"({"none":{"IPAMConfig":{"LinkLocalIPs":["169.254.1.1"]}}})"},
      {"network", "name=bridge,driver-opt=a=b,mac-address=02:42:ac:11:00:02",
       R"({"bridge":{"DriverOpts":{"a":"b"},"MacAddress":"02:42:ac:11:00:02"}})"},
      {"link-local-ip", "169.254.1.1",
       R"({"default":{"IPAMConfig":{"LinkLocalIPs":["169.254.1.1"]}}})"},
  };
  for (const auto& row : table) {
    auto asked = on(DockerNetwork::absent);
    asked.parameter(row.key, row.value);
    EXPECT_TRUE(asked.spec()->warnings.empty()) << row.value;
    EXPECT_EQ(json::serialize(asked.body().at("NetworkingConfig").at("EndpointsConfig")),
              row.endpoints);
  }
  auto beside = on(DockerNetwork::absent);
  beside.parameter("network", "name=bridge,ip=1.2.3.4,link-local-ip=169.254.1.1");
  EXPECT_TRUE(has(beside.spec()->warnings, "parameter \"ip\": network bridge"));
  EXPECT_EQ(json::serialize(beside.body().at("NetworkingConfig").at("EndpointsConfig")),
            R"({"bridge":{"IPAMConfig":{"LinkLocalIPs":["169.254.1.1"]}}})");
}

/// Networks behind the first are connected by a call of its own; before API 1.44 it knows no
/// MacAddress.
TEST(Networks, FieldsNewerThanDocker) {
  const std::string mac = ",mac-address=02:42:ac:11:00:02";
  const struct {
    std::string first;
    std::string second;
    int minor;
    Texts needs;
  } table[] = {
      {"name=a" + mac, "b", 43, {}},
      {"a", "name=b" + mac, 44, {}},
      {"a",
       "name=b" + mac,
       43,
       {"parameter \"network (mac-address)\" needs Docker API 1.44, this "
        "Docker has 1.43"}},
      {"name=a,gw-priority=1", "b", 48, {}},
      {"name=a,gw-priority=0", "b", 45, {}},
      {"name=a,gw-priority=1",
       "b",
       45,
       {"parameter \"network (gw-priority)\" needs Docker API "
        "1.48, the executor speaks at most 1.45"}},
      {"a",
       "name=b,gw-priority=1",
       44,
       {"parameter \"network (gw-priority)\" needs Docker API "
        "1.48, this Docker has 1.44"}},
  };
  for (const auto& row : table) {
    auto asked = on(DockerNetwork::absent);
    asked.parameter("network", row.first).parameter("network", row.second);
    EXPECT_EQ(unknown_to_docker(asked.spec()->needs, row.minor), row.needs)
        << row.first << " " << row.second;
  }
}

TEST(Networks, MacAddressAndLinks) {
  auto asked = on(DockerNetwork::bridge);
  asked.parameter("mac-address", "02:42:ac:11:00:02").parameter("link", "db:database");
  EXPECT_TRUE(asked.spec()->warnings.empty());
  EXPECT_EQ(asked.body().at("MacAddress").as_string(), "02:42:ac:11:00:02");
  EXPECT_EQ(asked.host().at("Links"), (json::array{"db:database"}));
  EXPECT_FALSE(asked.body().contains("NetworkingConfig"));

  auto own = on(DockerNetwork::user, {"blue"});
  own.parameter("link", "db").parameter("mac-address", "02:42:ac:11:00:02");
  EXPECT_EQ(json::serialize(own.body().at("NetworkingConfig").at("EndpointsConfig").at("blue")),
            R"({"MacAddress":"02:42:ac:11:00:02","Links":["db"]})");
}

}  // namespace
}  // namespace sidecar_executor::docker
