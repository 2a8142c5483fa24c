#include "docker/parameters.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json.hpp>
#include <chrono>
#include <fstream>
#include <sstream>

#include "base/text.hpp"
#include "docker/api_version.hpp"
#include "docker/parameter_table.hpp"

namespace sidecar_executor::docker {
namespace {

std::optional<std::string> environment(std::string_view name) {
  if (name == "HOST_VAR") return "from the host";
  if (name == "EMPTY_VAR") return "";
  return std::nullopt;
}

Result<std::string> files(const std::string& path) {
  if (path == "/app.env") return std::string("FILE=1\nA=of the file\n\n# no\n  HOST_VAR\nGONE\n");
  if (path == "/bad.env") return std::string("A B=s3cr3t\n");
  if (path == "/app.labels") return std::string("a=file\nonly=1\nnothing\n");
  if (path == "/seccomp.json") return std::string("{\"defaultAction\": \"SCMP_ACT_ERRNO\"}");
  if (path == "/text") return std::string("text");
  return Error{path == "/secret" ? ErrorKind::invalid : ErrorKind::not_found, path};
}

Result<ParameterValues> read(const std::vector<mesos::Parameter>& parameters, bool strict = false) {
  return read_parameters(parameters, {environment, files, "/sandbox", strict});
}

TEST(Parameters, WhatEachSets) {
  const struct {
    std::vector<mesos::Parameter> given;
    const char* body;
  } table[] = {
      {{{"cap-add", "NET_ADMIN"}, {"cap-add", "SYS_PTRACE"}},
       R"({"HostConfig":{"CapAdd":["NET_ADMIN","SYS_PTRACE"]}})"},
      {{{"--cap-drop", "MKNOD"}, {"cap-add", "ALL"}},
       R"({"HostConfig":{"CapDrop":["MKNOD"],"CapAdd":["ALL"]}})"},
      {{{"volume-driver", "first"}, {"volume-driver", "local"}},
       R"({"HostConfig":{"VolumeDriver":"local"}})"},
      {{{"env", "A=1"}, {"label", "a=b"}}, "{}"},
  };
  for (const auto& row : table) {
    const auto got = read(row.given);
    ASSERT_TRUE(got);
    EXPECT_EQ(boost::json::serialize(got->body), row.body);
    EXPECT_TRUE(got->warnings.empty());
  }
}

TEST(Parameters, NewerThanDocker) {
  const auto got = read({{"annotation", "a=b"}, {"health-start-interval", "2s"}, {"init", ""}});
  ASSERT_TRUE(got);
  EXPECT_EQ(unknown_to_docker(got->needs, 41).size(), 2U);
  EXPECT_EQ(unknown_to_docker(got->needs, 43).size(), 1U);
  EXPECT_TRUE(unknown_to_docker(got->needs, 44).empty());
  EXPECT_TRUE(unknown_to_docker(got->needs, 0).empty()) << "a daemon that does not say";
}

/// Fields that a Docker before API 1.`minor` does not have.
TEST(Parameters, FieldsNewerThanDocker) {
  const std::string bind = "type=bind,src=/a,dst=/b,readonly,";
  const struct {
    mesos::Parameter given;
    int minor;
    const char* says;
  } table[] = {
      {{"platform", "linux/arm64"}, 41, "platform"},
      {{"mount", "type=image,src=a,dst=/b"}, 48, "mount (type=image)"},
      {{"mount", "src=v,dst=/b,volume-subpath=x"}, 45, "mount (volume-subpath)"},
      {{"mount", bind + "bind-recursive=writable"}, 44, "mount (bind-recursive)"},
      {{"mount", bind + "bind-recursive=readonly,bind-propagation=rprivate"},
       44,
       "mount (bind-recursive)"},
  };
  for (const auto& row : table) {
    const auto got = read({row.given, row.given});
    ASSERT_TRUE(got);
    EXPECT_EQ(got->warnings, std::vector<std::string>{});
    EXPECT_TRUE(unknown_to_docker(got->needs, row.minor).empty()) << row.says;
    const auto older = std::to_string(row.minor - 1);
    EXPECT_EQ(unknown_to_docker(got->needs, row.minor - 1),
              (std::vector<std::string>{"parameter \"" + std::string(row.says) +
                                        "\" needs Docker API 1." + std::to_string(row.minor) +
                                        ", this Docker has 1." + older}))
        << "said once";
  }
  const auto got = read({{"mount", "type=image,src=a,dst=/b"}});
  ASSERT_TRUE(got);
  EXPECT_EQ(unknown_to_docker(got->needs, newest_api_minor),
            (std::vector<std::string>{"parameter \"mount (type=image)\" needs Docker API 1.48, the "
                                      "executor speaks at most 1.45"}));
}

TEST(Parameters, FieldsThatEveryDockerHas) {
  for (const char* mount : {"type=bind,src=/a,dst=/b,bind-recursive=disabled",
                            "type=bind,src=/a,dst=/b,bind-recursive=enabled", "src=v,dst=/b",
                            "type=image,src=a,dst=b" /* refused */}) {
    const auto got = read({{"mount", mount}});
    ASSERT_TRUE(got);
    EXPECT_TRUE(got->needs.empty()) << mount;
  }
}

TEST(Parameters, Environment) {
  const auto got = read({{"env", "A=1"},
                         {"e", "B="},
                         {"--env", "C=x=y z"},
                         {"env", "HOST_VAR"},
                         {"env", "EMPTY_VAR"},
                         {"env", "ABSENT"}});
  ASSERT_TRUE(got);
  EXPECT_EQ(got->env, (std::vector<std::string>{"A=1", "B=", "C=x=y z", "HOST_VAR=from the host",
                                                "EMPTY_VAR="}));
  EXPECT_EQ(got->warnings, (std::vector<std::string>{"parameter env: ABSENT has no value and is "
                                                     "not set for the executor, ignoring"}));
}

TEST(Parameters, Labels) {
  const auto got =
      read({{"label", "a=1"}, {"label", "b=x=y"}, {"l", "a=2"}, {"label", "c="}, {"label", "d"}});
  ASSERT_TRUE(got);
  EXPECT_EQ(got->labels, (std::vector<std::pair<std::string, std::string>>{
                             {"a", "2"}, {"b", "x=y"}, {"c", ""}}));
  EXPECT_TRUE(got->warnings.empty());
  EXPECT_EQ(got->notes.size(), 1U);
}

/// A search for each name took 8 s here, on the loop.
TEST(Parameters, ManyLabelsTakeNoTime) {
  std::string lines;
  for (int i = 0; i < 40'000; ++i) lines += "label-number-" + std::to_string(i) + "=x\n";
  ParameterInputs inputs{environment, [&](const std::string&) { return lines; }, "/sandbox", false};
  const auto start = std::chrono::steady_clock::now();
  const auto got = read_parameters(
      {{"label-file", "/many"}, {"label-file", "/many"}, {"label", "label-number-7=y"}}, inputs);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(2));
  ASSERT_TRUE(got);
  ASSERT_EQ(got->labels.size(), 40'000U);
  EXPECT_EQ(got->labels[7], std::pair(std::string("label-number-7"), std::string("y")));
}

TEST(Parameters, FaultsAreWarningsOrErrors) {
  const struct {
    mesos::Parameter given;
    const char* says;
  } table[] = {
      {{"detach", "true"}, "parameter \"detach\" is not supported"},
      {{"--detach", "true"}, "parameter \"detach\" is not supported"},
      {{"", "x"}, "parameter with an empty key"},
      {{"--", "x"}, "parameter with an empty key"},
      {{" ", "x"}, "parameter with an empty key"},
      {{"CAP-ADD", "x"}, "parameter \"CAP-ADD\" is not supported"},
      {{"cap-add", ""}, "parameter \"cap-add\": expected a value, found nothing"},
      {{"volume-driver", ""}, "parameter \"volume-driver\": expected a value, found nothing"},
      {{"env", "=s3cr3t"}, "parameter \"env\": expected NAME=value or NAME"},
      {{"env", ""}, "parameter \"env\": expected NAME=value or NAME"},
      {{"label", "=x"}, "parameter \"label\": expected name=value"},
      {{"new\nline", "x"}, "parameter \"new line\" is not supported"},
  };
  for (const auto& row : table) {
    const auto loose = read({{"cap-add", "A"}, row.given});
    ASSERT_TRUE(loose);
    EXPECT_EQ(loose->warnings, (std::vector<std::string>{row.says + std::string(", ignoring")}));
    EXPECT_EQ(boost::json::serialize(loose->body), R"({"HostConfig":{"CapAdd":["A"]}})");

    const auto strict = read({{"cap-add", "A"}, row.given}, true);
    ASSERT_FALSE(strict) << row.says;
    EXPECT_EQ(strict.error().kind, ErrorKind::invalid);
    EXPECT_EQ(strict.error().message, "container.docker.parameters[1]: " + std::string(row.says) +
                                          " (EXECUTOR_STRICT_PARAMETERS is true)");
  }
}

TEST(Parameters, StrictTakesWhatIsMerelyIgnored) {
  EXPECT_TRUE(read({{"label", "novalue"}, {"env", "ABSENT"}}, true));
}

TEST(Parameters, LongKeysAreClipped) {
  const auto got = read({{std::string(100'000, 'x'), "v"}});
  ASSERT_TRUE(got);
  EXPECT_LT(got->warnings.at(0).size(), 200U);
}

/// One bad value a form of value: the exact words, and never the value.
TEST(Parameters, BadValuesAreExplained) {
  const struct {
    mesos::Parameter given;
    const char* says;
  } table[] = {
      {{"add-host", "s3cr3t"}, "expected name:address, name=address or name:host-gateway"},
      {{"annotation", "=s3cr3t"}, "expected name=value"},
      {{"blkio-weight", "5"}, "expected a whole number from 10 to 1000"},
      {{"blkio-weight-device", "sda:1"}, "expected /dev/name:weight with a weight from 10 to 1000"},
      {{"cgroupns", "s3cr3t"}, "expected host or private"},
      {{"cpu-period", "x"}, "expected a whole number"},
      {{"cpus", "1.0000000001"}, "expected a number of CPUs such as 1.5"},
      {{"device", "null"}, "expected /dev/host[:/dev/container][:rwm] or vendor/class=name"},
      {{"device-cgroup-rule", "c 1:3"}, "expected type major:minor mode such as c 189:* rwm"},
      {{"device-read-bps", "/dev/sda"}, "expected /dev/name:rate with a rate such as 10mb"},
      {{"device-read-iops", "/dev/sda:1k"}, "expected /dev/name:operations per second"},
      {{"dns", "s3cr3t"}, "expected an IP address"},
      {{"dns-search", "a..b"}, "expected a domain, or . for none"},
      {{"env-file", "s3cr3t"}, "expected the path of a file on the host, from /"},
      {{"env-file", "/none"}, "expected a file that exists on the host"},
      {{"env-file", "/secret"}, "expected a readable file of at most 1 MiB"},
      {{"env-file", "/bad.env"}, "expected a file with NAME=value or NAME in each line"},
      {{"expose", "80-79"}, "expected port[-port][/tcp|udp|sctp]"},
      {{"gpus", "device=0,1"},
       "expected a count or devices, not both; several devices need quotes: \"device=0,1\""},
      {{"gpus", ""},
       "expected all, a number, or fields such as \"device=0,1\",capabilities=utility"},
      {{"health-interval", "5"}, "expected a time such as 30s or 1m30s"},
      {{"health-retries", "-1"}, "expected a whole number that is not negative"},
      {{"init", "s3cr3t"}, "expected true, false or nothing (= true)"},
      {{"ip", "::1"}, "expected an IPv4 address"},
      {{"ip6", "1.1.1.1"}, "expected an IPv6 address"},
      {{"ipc", "container:"}, "expected none or private or shareable or host or container:NAME"},
      {{"link", "a:b:c"}, "expected container[:alias]"},
      {{"mac-address", "x"}, "expected a MAC address such as 02:42:ac:11:00:02"},
      {{"memory", "1e"}, "expected a size such as 512m or 2g"},
      {{"memory-swap", "-2"}, "expected a size such as 512m or 2g, or -1 for no limit"},
      {{"memory-swappiness", "101"}, "expected a whole number from -1 to 100"},
      {{"mount", "type=bind,src=/a"}, "expected a target from /"},
      {{"mount", "type=bind,src=a,dst=/b"}, "expected a source from / with type bind"},
      {{"mount", "type=bind,src=/a,dst=/b,volume-nocopy"},
       "expected no volume- options with type bind"},
      {{"mount", "s3cr3t"}, "expected key=value in each field of a mount"},
      {{"network", "name=n,s3cr3t=1"},
       "expected fields of a network: name, alias, ip, ip6, link-local-ip, mac-address, "
       "driver-opt, gw-priority"},
      {{"network", ""}, "expected the name of a network"},
      {{"oom-score-adj", "1001"}, "expected a whole number from -1000 to 1000"},
      {{"platform", "s3cr3t"}, "expected os/architecture such as linux/amd64"},
      {{"publish", "x"}, "expected [address:][host port:]container port[/protocol]"},
      {{"publish", "1-2:1-3"}, "expected as many host ports as container ports"},
      {{"restart", "always"}, "expected no: Mesos restarts tasks, not Docker"},
      {{"security-opt", "s3cr3t"},
       "expected no-new-privileges, or name=value such as seccomp=unconfined"},
      {{"security-opt", "seccomp=/none"},
       "a seccomp profile: expected a file that exists on the host"},
      {{"security-opt", "seccomp=/text"}, "expected a seccomp profile that is a JSON object"},
      {{"storage-opt", "size"}, "expected name=value"},
      {{"sysctl", "vm.swappiness=1"},
       "expected a sysctl below net. or fs.mqueue., or one of System V IPC"},
      {{"tmpfs", "run"}, "expected /path or /path:options such as /run:size=64m"},
      {{"ulimit", "nofile"}, "expected name=soft[:hard] such as nofile=1024:2048, -1 for no limit"},
      {{"ulimit", "files=1"},
       "expected the name of a limit such as nofile, nproc, core or memlock"},
      {{"ulimit", "nofile=2:1"}, "expected a soft limit that is not above the hard limit"},
      {{"user", ""}, "expected a value, found nothing"},
      {{"volume", "/a:b"}, "expected /host:/container[:ro], volume:/container[:ro] or /container"},
  };
  for (const auto& row : table) {
    const auto got = read({row.given});
    ASSERT_TRUE(got);
    const auto said = "parameter \"" + row.given.key + "\": " + row.says + ", ignoring";
    EXPECT_EQ(got->warnings, (std::vector<std::string>{said}));
    EXPECT_TRUE(got->body.empty()) << row.given.key;
    EXPECT_FALSE(read({row.given}, true)) << row.given.key;
  }
}

TEST(Parameters, FilesComeBeforeEnvAndLabel) {
  const auto got = read(
      {{"env", "A=1"}, {"env-file", "/app.env"}, {"label", "a=1"}, {"label-file", "/app.labels"}});
  ASSERT_TRUE(got);
  EXPECT_EQ(got->env,
            (std::vector<std::string>{"FILE=1", "A=of the file", "HOST_VAR=from the host", "A=1"}));
  EXPECT_EQ(got->labels,
            (std::vector<std::pair<std::string, std::string>>{{"a", "1"}, {"only", "1"}}));
  EXPECT_EQ(got->warnings, (std::vector<std::string>{"parameter env-file: GONE has no value and is "
                                                     "not set for the executor, ignoring"}));
}

TEST(Parameters, SwitchesAreOnWithoutAValue) {
  const auto got = read({{"init", ""}, {"read-only", "true"}, {"tty", "0"}});
  ASSERT_TRUE(got);
  EXPECT_EQ(boost::json::serialize(got->body),
            R"({"HostConfig":{"Init":true,"ReadonlyRootfs":true},"Tty":false})");
}

TEST(Parameters, RelativeVolumesAreBelowTheSandbox) {
  const auto got = read({{"volume", "./data:/data:ro"}});
  ASSERT_TRUE(got);
  EXPECT_EQ(boost::json::serialize(got->body),
            R"({"HostConfig":{"Binds":["/sandbox/data:/data:ro"]}})");
}

TEST(Parameters, AVolumeTwiceIsOne) {
  const auto got = read({{"volume", "/a:/b"}, {"v", "/a:/b"}, {"volume", "/a:/c"}});
  ASSERT_TRUE(got);
  EXPECT_TRUE(got->warnings.empty());
  EXPECT_EQ(boost::json::serialize(got->body), R"({"HostConfig":{"Binds":["/a:/b","/a:/c"]}})");
}

TEST(Parameters, WhatIsIgnoredIsSaid) {
  const auto got = read({{"rm", ""},
                         {"isolation", "x"},
                         {"kernel-memory", "4m"},
                         {"name", "s3cr3t"},
                         {"restart", "no"}},
                        true);
  ASSERT_TRUE(got);
  EXPECT_EQ(got->warnings,
            (std::vector<std::string>{
                "parameter \"kernel-memory\" is ignored: Linux and Docker no longer have it.",
                "parameter \"name\" is ignored: containers are named after their Mesos task."}));
  EXPECT_EQ(got->notes.size(), 2U);
  EXPECT_TRUE(got->body.empty());
}

TEST(Parameters, OfTwoThatDockerRefusesTogetherOneGivesWay) {
  const auto got = read({{"cpus", "1"},
                         {"cpu-period", "1000"},
                         {"cpu-quota", "500"},
                         {"log-driver", "none"},
                         {"log-opt", "a=b"},
                         {"no-healthcheck", ""},
                         {"health-retries", "3"}});
  ASSERT_TRUE(got);
  EXPECT_EQ(boost::json::serialize(got->body),
            R"({"HostConfig":{"NanoCpus":1000000000,"LogConfig":{"Type":"none"}},)"
            R"("Healthcheck":{"Retries":3}})");
  EXPECT_EQ(got->warnings.size(), 4U);
  EXPECT_EQ(got->warnings.front(),
            "parameter \"cpu-period\": cannot be combined with cpus, ignoring");
  const auto strict = read({{"cpus", "1"}, {"cpu-period", "1000"}}, true);
  ASSERT_FALSE(strict);
  EXPECT_EQ(strict.error().message,
            "container.docker.parameters: parameter \"cpu-period\": cannot be combined with cpus "
            "(EXECUTOR_STRICT_PARAMETERS is true)");
}

TEST(Parameters, NoCpusAreNoConflict) {
  const auto got = read({{"cpus", "0"}, {"cpu-quota", "50000"}, {"cpu-period", "1000"}}, true);
  ASSERT_TRUE(got);
  EXPECT_EQ(boost::json::serialize(got->body),
            R"({"HostConfig":{"NanoCpus":0,"CpuQuota":50000,"CpuPeriod":1000}})");
}

TEST(Parameters, WithoutAHealthCheck) {
  const struct {
    std::vector<mesos::Parameter> given;
    const char* body;
  } table[] = {
      {{{"no-healthcheck", ""}}, R"({"Healthcheck":{"Test":["NONE"]}})"},
      {{{"no-healthcheck", "true"}, {"no-healthcheck", "false"}}, "{}"},
      {{{"no-healthcheck", "false"}, {"no-healthcheck", "true"}},
       R"({"Healthcheck":{"Test":["NONE"]}})"},
      {{{"no-healthcheck", ""}, {"health-interval", "0"}, {"health-retries", "0"}},
       R"({"Healthcheck":{"Test":["NONE"]}})"},
      {{{"no-healthcheck", ""}, {"health-cmd", "x"}, {"no-healthcheck", "false"}},
       R"({"Healthcheck":{"Test":["CMD-SHELL","x"]}})"},
  };
  for (const auto& row : table) {
    const auto got = read(row.given, true);
    ASSERT_TRUE(got) << row.body;
    EXPECT_EQ(boost::json::serialize(got->body), row.body);
    EXPECT_TRUE(got->warnings.empty());
  }
}

/// The list of ../shared/spec/docker.md "Parameters".
TEST(Parameters, TheTableHasEveryFlagOfTheSpec) {
  constexpr std::string_view all =
      "add-host annotation blkio-weight blkio-weight-device cap-add cap-drop cgroup-parent "
      "cgroupns cpu-period cpu-quota cpu-rt-period cpu-rt-runtime cpu-shares cpus cpuset-cpus "
      "cpuset-mems device device-cgroup-rule device-read-bps device-read-iops device-write-bps "
      "device-write-iops dns dns-option dns-opt dns-search domainname entrypoint env env-file "
      "expose gpus group-add health-cmd health-interval health-retries health-start-interval "
      "health-start-period health-timeout no-healthcheck hostname init ip ip6 ipc isolation "
      "kernel-memory label label-file link link-local-ip log-driver log-opt mac-address memory "
      "memory-reservation memory-swap memory-swappiness mount name net network network-alias "
      "net-alias oom-kill-disable oom-score-adj pid pids-limit platform privileged publish p "
      "publish-all read-only restart rm runtime security-opt shm-size stop-signal stop-timeout "
      "storage-opt sysctl tmpfs tty ulimit user userns uts volume v volume-driver volumes-from "
      "workdir";
  for (const auto& name : split_blanks(all)) {
    const auto got = read({{name, "\n"}});
    ASSERT_TRUE(got);
    const bool known = got->warnings.empty() ||
                       got->warnings.front().find("is not supported") == std::string::npos;
    EXPECT_TRUE(known) << name;
  }
}

TEST(Parameters, TheTableIsInOrder) {
  const auto flags = parameter_flags();
  const auto sorted = std::is_sorted(flags.begin(), flags.end(),
                                     [](const auto& a, const auto& b) { return a.name < b.name; });
  EXPECT_TRUE(sorted);
  for (const auto& flag : flags) EXPECT_FALSE(flag.doc.empty()) << flag.name;
}

TEST(Parameters, TheTableIsTheDocumentation) {
  std::ifstream file(std::string(SX_SOURCE_DIR) + "/docs/parameters.md");
  std::stringstream text;
  text << file.rdbuf();
  EXPECT_EQ(text.str(), parameters_markdown())
      << "Run: sidecar-executor docs parameters > docs/parameters.md";
}

}  // namespace
}  // namespace sidecar_executor::docker
