// Networks that somebody made with `docker network create`, and what the status says of them.

#include "system/inside.hpp"

namespace sx_test {
namespace {

/// Networks are of this process: other tests use the same daemon, other daemons the same host.
class NetworksTest : public SystemTest {
 protected:
  void TearDown() override {
    SystemTest::TearDown();
    for (const auto& network : networks_) run_command({"docker", "network", "rm", network});
  }
  /// 10.<70 + number>.<own>.0/24 and fd00:<own>:<number>::/64. Its name.
  std::string own_network(const char* name, int number) {
    networks_.push_back("sx-" + std::to_string(::getpid()) + "-" + name);
    const auto made = run_command({"docker", "network", "create", "--subnet", v4(number, "0/24"),
                                   "--ipv6", "--subnet", v6(number, "/64"), networks_.back()});
    EXPECT_EQ(made.code, 0) << made.output;
    return networks_.back();
  }
  static std::string v4(int number, const std::string& host) {
    return "10." + std::to_string(70 + number) + "." + std::to_string(::getpid() % 250) + "." +
           host;
  }
  static std::string v6(int number, const std::string& host) {
    return "fd00:" + std::to_string(::getpid() % 9999 + 1) + ":" + std::to_string(number) +
           "::" + host;
  }

 private:
  std::vector<std::string> networks_;
};

/// Of container_status, in their order.
std::vector<std::string> addresses_in(const Update& update) {
  std::vector<std::string> out;
  const json::value status = update.status;
  boost::system::error_code failed;
  const auto* infos = status.find_pointer("/container_status/network_infos", failed);
  if (infos == nullptr) return out;
  for (const auto& info : infos->as_array()) {
    for (const auto& address : info.at("ip_addresses").as_array())
      out.push_back(address.at("ip_address").as_string().c_str() + std::string(" ") +
                    address.at("protocol").as_string().c_str());
  }
  return out;
}

TEST_F(NetworksTest, SeveralWithAliasesAddressesAndPorts) {
  const auto blue = own_network("blue", 1);
  const auto green = own_network("green", 2);
  const int port = 33000 + ::getpid() % 900;
  TaskBuilder task(std::string("/bin/sh -c 'httpd -p 8080 -h /www; echo port $MESOS_PORT_8080;"
                               "ip -o addr; ip -o link; ") +
                   until_done + "'");
  task.docker()["network"] = "USER";
  task.container()["network_infos"] = json::array{
      {{"name", blue},
       {"ip_addresses", json::array{{{"ip_address", v4(1, "77")}}}},
       {"port_mappings",
        json::array{{{"host_port", port}, {"container_port", 8080}, {"protocol", "tcp"}}}}},
      {{"name", green}}};
  task.parameter("network-alias", "web").parameter("ip6", v6(1, "77"));
  task.parameter("mac-address", "02:42:ac:11:00:77");
  task.parameter("network", "name=" + green + ",alias=web-green,ip=" + v4(2, "99"));
  std::string by_port;
  std::string by_alias;
  std::string by_second_alias;
  const auto fetch = [](const std::string& network, const char* name) {
    return run_command({"docker", "run", "--rm", "--network", network, "sx-test:1", "/bin/wget",
                        "-qO-", std::string("http://") + name + ":8080/index.html"})
        .output;
  };
  const auto seen = look_inside(
      task, while_it_runs(task.id(), [&](const std::string&) {
        by_port = run_command({"curl", "-s", "--retry", "10", "--retry-all-errors", "--retry-delay",
                               "1", "127.0.0.1:" + std::to_string(port) + "/index.html"})
                      .output;
        by_alias = fetch(blue, "web");
        by_second_alias = fetch(green, "web-green");
      }));
  ASSERT_GE(seen.run.updates.size(), 3u) << seen.run.transcript();
  for (const auto& page : {by_port, by_alias, by_second_alias})
    EXPECT_NE(page.find("It works"), std::string::npos) << seen.text();
  EXPECT_TRUE(seen.printed("port " + std::to_string(port))) << seen.text();
  EXPECT_NE(seen.text().find(v6(1, "77") + "/64"), std::string::npos) << seen.text();
  EXPECT_NE(seen.text().find("02:42:ac:11:00:77"), std::string::npos) << seen.text();
  const auto running = addresses_in(seen.run.updates[1]);
  const std::vector<std::string> wanted{v4(1, "77") + " IPv4", v6(1, "77") + " IPv6",
                                        v4(2, "99") + " IPv4", v6(2, "2") + " IPv6"};
  EXPECT_EQ(running, wanted) << seen.run.transcript();
  EXPECT_EQ(addresses_in(seen.run.last()), wanted) << "each update stands alone";
}

TEST_F(NetworksTest, HostAndNone) {
  TaskBuilder host("/bin/sh -c 'readlink /proc/self/ns/net'");
  host.docker()["network"] = "HOST";
  const auto seen = look_inside(host);
  EXPECT_EQ(addresses_in(seen.run.updates.at(1)), std::vector<std::string>())
      << "the agent puts in its own";
  TaskBuilder none("/bin/sh -c 'ls /sys/class/net'");
  none.docker()["network"] = "NONE";
  EXPECT_EQ(look_inside(none).lines, std::vector<std::string>{"lo"});
}

/// The second network is connected between create and start.
TEST_F(NetworksTest, OneThatDoesNotExistFailsTheLaunch) {
  const auto blue = own_network("blue", 3);
  TaskBuilder task("/bin/true");
  task.docker()["network"] = "USER";
  task.container()["network_infos"] = json::array{{{"name", blue}}, {{"name", "sx-no-such"}}};
  const auto run = run_task(task);
  EXPECT_EQ(run.states(), (std::vector<std::string>{"TASK_STARTING", "TASK_FAILED"}))
      << run.transcript();
  // Docker says so at the start, Podman when it is connected.
  EXPECT_NE(run.last().message.find("network sx-no-such"), std::string::npos) << run.last().message;
  EXPECT_TRUE(containers_of(task.id()).empty()) << "the container is removed again";
}

}  // namespace
}  // namespace sx_test
