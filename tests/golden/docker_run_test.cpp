// Parameters mean what they mean to `docker run`: docker-run.json holds what Docker's own command
// line (28.2) asked of a daemon for some hundred sets of flags (docker_run.py records it).

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "base/settings.hpp"
#include "docker/container_spec.hpp"
#include "docker/host_files.hpp"
#include "docker/parameter_table.hpp"
#include "golden_files.hpp"

namespace sidecar_executor::golden {
namespace {

constexpr const char* keeps_members[] = {"ExposedPorts", "Volumes", "PortBindings", "Entrypoint",
                                         "Tmpfs",        "Labels",  "Config",       "Annotations",
                                         "StorageOpt",   "Sysctls"};

bool says_nothing(const json::value& value) {
  return value.is_null() || value == "" || value == 0 || value == false ||
         value == json::object{} || value == json::array{};
}

/// As docker_run.py's tidy(), with sorted keys.
json::value tidy(const json::value& value, bool keep = false) {
  if (value.is_array()) {
    json::array out;
    for (const auto& item : value.get_array()) out.push_back(tidy(item));
    return out;
  }
  if (!value.is_object()) return value;
  std::map<std::string, json::value> members;
  for (const auto& member : value.get_object()) {
    const bool keeps = std::find(std::begin(keeps_members), std::end(keeps_members),
                                 member.key()) != std::end(keeps_members);
    auto kept = tidy(member.value(), keeps);
    if (keep || !says_nothing(kept)) members[member.key()] = std::move(kept);
  }
  json::object out;
  for (auto& [key, kept] : members) out[key] = std::move(kept);
  return out;
}

json::array rows() {
  std::ifstream file(folder("docker-run.json"));
  std::stringstream text;
  text << file.rdbuf();
  return json::parse(text.str()).as_array();
}

std::string with_files(std::string text) {
  const std::string mark = "$FILES";
  const auto at = text.find(mark);
  if (at != std::string::npos) text.replace(at, mark.size(), folder("docker-run-files").string());
  return text;
}

std::string named(const json::array& flags) {
  std::string out;
  for (const auto& flag : flags) {
    out += (out.empty() ? "" : " ") + std::string(flag.at(0).as_string()) + "=" +
           std::string(flag.at(1).as_string());
  }
  return out;
}

Result<docker::ContainerSpec> spec_of(const json::array& flags, const Settings& settings) {
  mesos::TaskInfo task;
  task.container.emplace();
  task.container->docker.emplace();
  task.container->docker->image = "img";
  for (const auto& flag : flags) {
    task.container->docker->parameters.push_back(
        {std::string(flag.at(0).as_string()), with_files(std::string(flag.at(1).as_string()))});
  }
  docker::SpecInputs inputs;
  inputs.settings = &settings;
  inputs.executor_environment = [](std::string_view name) -> std::optional<std::string> {
    if (name == "FROM_HOST") return "host value";
    return std::nullopt;
  };
  inputs.read_file = docker::read_host_file;
  return docker::make_container_spec(task, inputs);
}

/// What Docker's command line lets pass and we warn of: most of it the daemon refuses, without
/// saying which parameter it was.
const std::map<std::string, const char*>& warned() {
  constexpr const char* daemon = "the daemon refuses it";
  constexpr const char* nothing = "it asks for nothing";
  constexpr const char* forms = "a form that only Go reads";
  constexpr const char* mesos = "Mesos' business";
  static const std::map<std::string, const char*> table = {
      {"blkio-weight=5", daemon},
      {"cpus=-1", daemon},
      {"cpus=1e3", forms},
      {"cpus=1_0", forms},
      {"memory=5_000", forms},
      {"hostname= init=true", nothing},
      {"user=", nothing},
      {"volumes-from=", nothing},
      {"ip=1.2.3.4", daemon},
      {"ip=x", daemon},
      {"ip6=::1", daemon},
      {"ip6=1.1.1.1", daemon},
      {"network=host ip=1.2.3.4", daemon},
      {"network=name=bridge,ip=1.2.3.4", daemon},
      {"ipc=x", daemon},
      {"kernel-memory=4m", "Docker ignores it too"},
      {"mount=type=tmpfs,src=x,dst=/b", daemon},
      {"mount=type=bind,dst=/b", daemon},
      {"mount=type=x,src=/a,dst=/b", daemon},
      {"mount=type=bind,src=rel,dst=/b", daemon},
      {"mount=type=bind,src=/a,dst=rel", daemon},
      {"name=x", mesos},
      {"restart=always", mesos},
      {"restart=on-failure:3", mesos},
      {"oom-score-adj=-1001", daemon},
      {"tmpfs=rel", daemon},
      {"volume=/a:b", daemon},
      {"volume=/a:/b:xx", daemon},
      {"volume=a:b:c:d", daemon},
      {"expose=0", daemon},
      {"expose=80/x", daemon},
      {"expose=80/tcp/udp", daemon},
      {"link=:b", daemon},
      {"link=a:", daemon},
  };
  return table;
}

/// What we ask for in other words, or not at all.
struct Difference {
  const char* why;
  void (*expected)(json::object& body);
};

json::object& host_of(json::object& body) { return body.at("HostConfig").as_object(); }

const std::map<std::string, Difference>& differences() {
  static const std::map<std::string, Difference> table = {
      {"mac-address=02:42:ac:11:00:02",
       {"engines before API 1.44 know it here only",
        [](json::object& body) {
          body.erase("NetworkingConfig");
          body["MacAddress"] = "02:42:ac:11:00:02";
        }}},
      {"network=name=n,alias=a,alias=b,ip=1.2.3.4,ip6=::1,mac-address=02:42:ac:11:00:02,"
       "link-local-ip=169.254.1.1,driver-opt=a=b,gw-priority=3",
       {"engines before API 1.44 know the MAC address here only",
        [](json::object& body) { body["MacAddress"] = "02:42:ac:11:00:02"; }}},
      {"isolation=x",
       {"ignored: for Windows", [](json::object& body) { host_of(body).erase("Isolation"); }}},
      {"rm=true",
       {"ignored: a setting of the executor",
        [](json::object& body) { host_of(body).erase("AutoRemove"); }}},
      {"memory-swappiness=-1",
       {"the same as nothing", [](json::object& body) { host_of(body)["MemorySwappiness"] = -1; }}},
      {"label-file=$FILES/app.labels label=z=1 label=q",
       {"a label without = is ignored, as in the Go executor",
        [](json::object& body) { body.at("Labels").as_object().erase("q"); }}},
      {"cap-add=net_admin",
       {"the daemon knows both names",
        [](json::object& body) { host_of(body)["CapAdd"] = json::array{"net_admin"}; }}},
      {"cap-add=ALL cap-drop=all",
       {"the daemon knows both names",
        [](json::object& body) { host_of(body)["CapDrop"] = json::array{"all"}; }}},
  };
  return table;
}

class DockerRun : public testing::TestWithParam<std::size_t> {};

TEST_P(DockerRun, AsksForTheSameContainer) {
  const auto row = rows().at(GetParam()).as_object();
  const auto& flags = row.at("flags").as_array();
  const auto name = named(flags);
  const Settings settings;
  const auto spec = spec_of(flags, settings);
  ASSERT_TRUE(spec) << name << ": " << spec.error().message;
  if (row.contains("refused") || warned().contains(name)) {
    EXPECT_FALSE(spec->warnings.empty()) << name << " is taken: " << printed(spec->body);
    return;
  }
  auto wanted = row.at("body").as_object();
  const auto known = differences().find(name);
  if (known != differences().end()) known->second.expected(wanted);
  const auto body = tidy(json::parse(docker::create_body(*spec, spec->env)));
  EXPECT_EQ(printed(body), printed(tidy(wanted)))
      << name << (known == differences().end() ? "" : known->second.why);
  EXPECT_TRUE(spec->warnings.empty()) << name << ": " << spec->warnings.front();
  const auto* platform = row.if_contains("platform");
  EXPECT_EQ(spec->platform, platform == nullptr ? "" : std::string(platform->as_string())) << name;
}

INSTANTIATE_TEST_SUITE_P(Recorded, DockerRun, testing::Range<std::size_t>(0, rows().size()));

TEST(DockerRunFile, HasEveryFlagAndEveryDifference) {
  std::set<std::string> recorded;
  std::set<std::string> names;
  for (const auto& row : rows()) {
    names.insert(named(row.at("flags").as_array()));
    for (const auto& flag : row.at("flags").as_array())
      recorded.insert(std::string(flag.at(0).as_string()));
  }
  for (const auto& flag : docker::parameter_flags())
    EXPECT_TRUE(recorded.contains(std::string(flag.name))) << flag.name;
  for (const auto& [name, why] : warned()) EXPECT_TRUE(names.contains(name)) << name;
  for (const auto& [name, difference] : differences()) EXPECT_TRUE(names.contains(name)) << name;
}

}  // namespace
}  // namespace sidecar_executor::golden
