// The edges of the forms that values of parameters have. What is right was asked of the `docker`
// command 28.2 with a stand-in for the daemon; what Docker takes and we refuse says why.

#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "docker/parameters.hpp"

namespace sidecar_executor::docker {
namespace {

namespace json = boost::json;
using Texts = std::vector<std::string>;

const std::string byte_order_mark = "\xEF\xBB\xBF";

Result<std::string> files(const std::string& path) {
  if (path == "/windows.env") return byte_order_mark + "A=1\r\nB=2\r\n";
  if (path == "/noname") return std::string("=x\n");
  if (path == "/blank") return std::string("a = b\n");
  if (path == "/list") return std::string("[1]");
  return Error{ErrorKind::not_found, path};
}

ParameterInputs inputs(std::string sandbox = "/sandbox") {
  ParameterInputs out;
  out.read_file = files;
  out.sandbox = std::move(sandbox);
  return out;
}

struct Row {
  mesos::Parameter given;
  const char* says;
};

/// Each is taken without a word and sets just that.
void taken(std::initializer_list<Row> table) {
  for (const auto& row : table) {
    const auto got = read_parameters({row.given}, inputs());
    ASSERT_TRUE(got);
    const auto name = row.given.key + "=" + row.given.value;
    EXPECT_EQ(got->warnings, Texts{}) << name;
    EXPECT_EQ(json::value(got->body), json::parse(row.says)) << name;
  }
}

/// Each is passed over with these words.
void refused(std::initializer_list<Row> table) {
  for (const auto& row : table) {
    const auto got = read_parameters({row.given}, inputs());
    ASSERT_TRUE(got);
    const auto said = "parameter \"" + row.given.key + "\": expected " + row.says + ", ignoring";
    EXPECT_EQ(got->warnings, Texts{said}) << row.given.value;
    EXPECT_TRUE(got->body.empty()) << row.given.value;
  }
}

TEST(ParameterForms, Devices) {
  taken({
      {{"device", "/dev/a=b"},
       R"({"HostConfig":{"Devices":[{"PathOnHost":"/dev/a=b","PathInContainer":"/dev/a=b",
           "CgroupPermissions":"rwm"}]}})"},
      {{"device", "/dev/null:mr"},
       R"({"HostConfig":{"Devices":[{"PathOnHost":"/dev/null","PathInContainer":"/dev/null",
           "CgroupPermissions":"mr"}]}})"},
      {{"device", "/dev/null:/x:r"},
       R"({"HostConfig":{"Devices":[{"PathOnHost":"/dev/null","PathInContainer":"/x",
           "CgroupPermissions":"r"}]}})"},
      {{"device", "vendor.com/class=name"},
       R"({"HostConfig":{"DeviceRequests":[{"Driver":"cdi",
           "DeviceIDs":["vendor.com/class=name"]}]}})"},
      {{"device", "nvidia.com/gpu=0:1"},
       R"({"HostConfig":{"DeviceRequests":[{"Driver":"cdi","DeviceIDs":["nvidia.com/gpu=0:1"]}]}})"},
      {{"device-cgroup-rule", "a *:* rwm"},
       R"({"HostConfig":{"DeviceCgroupRules":["a *:* rwm"]}})"},
      {{"device-cgroup-rule", "b 8:0 r"}, R"({"HostConfig":{"DeviceCgroupRules":["b 8:0 r"]}})"},
      {{"device-cgroup-rule", "c 1:1 rr"}, R"({"HostConfig":{"DeviceCgroupRules":["c 1:1 rr"]}})"},
  });
  constexpr const char* form = "/dev/host[:/dev/container][:rwm] or vendor/class=name";
  for (const char* value : {"", "dev/null", "/dev/null:rr", "/dev/null:rwmr", "/dev/null:x",
                            "/dev/null:", "/dev/null::", "/dev/null:/x:", "/dev/null:/x:q",
                            "/dev/null:/x:rw:m", "=name", "vendor.com/=name", "vendor.com/class=",
                            "class=name", "vendor.com/class=/x", "vendor.com/a:b=x", "dev/x=1:/y"})
    refused({{{"device", value}, form}});
  for (const char* value : {"d 8:* r", "c 8 r", "c x:1 r", "c 1:x r", "c 1:1 q", "c 1:1 ",
                            "c 1:1 rwmr", "c 1:1:1 r", "a", ""})
    refused({{{"device-cgroup-rule", value}, "type major:minor mode such as c 189:* rwm"}});
}

TEST(ParameterForms, BlockDevices) {
  taken({
      {{"blkio-weight", "0"}, "{}"},
      {{"blkio-weight-device", "/dev/sda:0"},
       R"({"HostConfig":{"BlkioWeightDevice":[{"Path":"/dev/sda","Weight":0}]}})"},
      {{"blkio-weight-device", "/dev/sda:0500"},
       R"({"HostConfig":{"BlkioWeightDevice":[{"Path":"/dev/sda","Weight":500}]}})"},
      {{"device-read-iops", "/dev/sda:0"},
       R"({"HostConfig":{"BlkioDeviceReadIOps":[{"Path":"/dev/sda","Rate":0}]}})"},
  });
  for (const char* value : {"/dev/sda:9", "/dev/sda:1001", "/dev/sda:x", "/dev/sda:0x10",
                            "/dev/sda:", "/dev/sda:500:1", "sda:500"})
    refused({{{"blkio-weight-device", value}, "/dev/name:weight with a weight from 10 to 1000"}});
  for (const char* value : {"/dev/sda:-1", "/dev/sda:0x10", "/dev/sda"})
    refused({{{"device-read-iops", value}, "/dev/name:operations per second"}});
}

TEST(ParameterForms, Gpus) {
  const std::pair<const char*, const char*> table[] = {
      {"all", R"({"Count":-1,"Capabilities":[["gpu"]]})"},
      {"-1", R"({"Count":-1,"Capabilities":[["gpu"]]})"},
      {"010", R"({"Count":10,"Capabilities":[["gpu"]]})"},
      {"+2", R"({"Count":2,"Capabilities":[["gpu"]]})"},
      {"count=all", R"({"Count":-1,"Capabilities":[["gpu"]]})"},
      {"\"device=0,1\"", R"({"DeviceIDs":["0","1"],"Capabilities":[["gpu"]]})"},
      {"driver=nvidia", R"({"Driver":"nvidia","Count":1,"Capabilities":[["gpu"]]})"},
      {"\"capabilities=compute,utility\"",
       R"({"Capabilities":[["compute","utility","gpu"]],"Count":1})"},
      {R"("options=a=b,c,""d=e,f""")",
       R"({"Options":{"a":"b","c":"","d":"e,f"},"Count":1,"Capabilities":[["gpu"]]})"},
  };
  for (const auto& [value, request] : table) {
    const auto got = read_parameters({{"gpus", value}}, inputs());
    ASSERT_TRUE(got);
    ASSERT_EQ(got->warnings, Texts{}) << value;
    EXPECT_EQ(got->body.at("HostConfig").at("DeviceRequests"),
              json::value(json::array{json::parse(request)}))
        << value;
  }
  for (const char* value :
       {"x", "-2", "0x2", "\"\"", "driver", "foo=bar", "Count=1", "device=0,device=1",
        "driver=a,driver=b", "options=", R"("options=""a")", "\"device=0,1", "\"device=0,1\"x",
        "options=\"a", "1,2" /* Docker takes the last; devices were meant */})
    refused({{{"gpus", value},
              "all, a number, or fields such as \"device=0,1\",capabilities=utility"}});
}

TEST(ParameterForms, SizesAndCpus) {
  taken({
      {{"memory", "1b"}, R"({"HostConfig":{"Memory":1}})"},
      {{"memory", "1 kb"}, R"({"HostConfig":{"Memory":1024}})"},
      {{"memory", ".5k"}, R"({"HostConfig":{"Memory":512}})"},
      {{"memory", "5.k"}, R"({"HostConfig":{"Memory":5120}})"},
      {{"memory", "1e3"}, R"({"HostConfig":{"Memory":1000}})"},
      {{"memory", "1p"}, R"({"HostConfig":{"Memory":1125899906842624}})"},
      {{"cpus", "1/2"}, R"({"HostConfig":{"NanoCpus":500000000}})"},
      {{"cpus", ".5"}, R"({"HostConfig":{"NanoCpus":500000000}})"},
      {{"cpus", "5."}, R"({"HostConfig":{"NanoCpus":5000000000}})"},
      {{"cpus", "1.5000000000"}, R"({"HostConfig":{"NanoCpus":1500000000}})"},
      {{"cpus", "0.000000001"}, R"({"HostConfig":{"NanoCpus":1}})"},
  });
  for (const char* value :
       {"b", "1ib", "1kk", "1x", "7e", "1  k", " 1k", "1.5.5k", "nan", "nan ", "inf ", "-1",
        "8192p" /* Docker asks for -2^63 */, "9999999p", "1e999", "", "0x10"})
    refused({{{"memory", value}, "a size such as 512m or 2g"}});
  for (const char* value :
       {"1/3", "1/0", "x/1", "1/x", "/1", "1/", "1.5/3", "99999999999999999999/1",
        "1/99999999999999999999", "2000000/2" /* no such host */, "1234567", ".", "", "x", "1.x",
        "0.0000000001"})
    refused({{{"cpus", value}, "a number of CPUs such as 1.5"}});
}

TEST(ParameterForms, Mounts) {
  taken({
      {{"mount", "type=tmpfs,dst=/x,tmpfs-mode=1777"},
       R"({"HostConfig":{"Mounts":[{"Type":"tmpfs","Target":"/x","TmpfsOptions":{"Mode":1023}}]}})"},
      {{"mount", "type=bind,src=/a,dst=/b,bind-recursive=enabled"},
       R"({"HostConfig":{"Mounts":[{"Type":"bind","Source":"/a","Target":"/b",
           "BindOptions":{}}]}})"},
      {{"mount", "type=bind,src=/a,dst=/b,bind-recursive=writable,readonly=1"},
       R"({"HostConfig":{"Mounts":[{"Type":"bind","Source":"/a","Target":"/b","ReadOnly":true,
           "BindOptions":{"ReadOnlyNonRecursive":true}}]}})"},
      {{"mount", "type=bind,src=/a,dst=/b,bind-propagation=RShared"},
       R"({"HostConfig":{"Mounts":[{"Type":"bind","Source":"/a","Target":"/b",
           "BindOptions":{"Propagation":"rshared"}}]}})"},
      {{"mount", "type=bind,src=/a,dst=/b,ro,bind-recursive=readonly,bind-propagation=rprivate"},
       R"({"HostConfig":{"Mounts":[{"Type":"bind","Source":"/a","Target":"/b","ReadOnly":true,
           "BindOptions":{"ReadOnlyForceRecursive":true,"Propagation":"rprivate"}}]}})"},
      {{"mount", "type=bind,src=./a:b,dst=/b"},
       R"({"HostConfig":{"Mounts":[{"Type":"bind","Source":"/sandbox/a:b","Target":"/b"}]}})"},
      {{"mount", "type=bind,src=.,dst=/b"},
       R"({"HostConfig":{"Mounts":[{"Type":"bind","Source":"/sandbox","Target":"/b"}]}})"},
      {{"mount", R"("type=bind","src=/a,""b",dst=/b)"},
       R"({"HostConfig":{"Mounts":[{"Type":"bind","Source":"/a,\"b","Target":"/b"}]}})"},
  });
  const std::string tmpfs = "type=tmpfs,dst=/x,";
  for (const char* mode : {"", "8", "x", "/", "10000", "777777777777777777777777"})
    refused(
        {{{"mount", tmpfs + "tmpfs-mode=" + mode}, "an octal mode such as 1777 as tmpfs-mode"}});
  const std::string bind = "type=bind,src=/a,dst=/b,";
  refused({
      {{"mount", tmpfs + "tmpfs-size=x"}, "a size such as 64m as tmpfs-size"},
      {{"mount", bind + "bind-recursive=x"},
       "enabled, disabled, writable or readonly as bind-recursive"},
      {{"mount", bind + "bind-recursive=writable"},
       "readonly beside bind-recursive=writable or readonly"},
      {{"mount", bind + "bind-recursive=readonly,readonly=false"},
       "readonly beside bind-recursive=writable or readonly"},
      {{"mount", bind + "bind-recursive=readonly,readonly"},
       "bind-propagation=rprivate beside bind-recursive=readonly"},
      {{"mount", bind + "bind-recursive=readonly,readonly,bind-propagation=private"},
       "bind-propagation=rprivate beside bind-recursive=readonly"},
      {{"mount", bind + "bind-propagation=x"},
       "private, shared or slave (or with r in front) as bind-propagation"},
      {{"mount", bind + "readonly="},
       "true or false behind readonly, volume-nocopy and bind-nonrecursive"},
  });
}

TEST(ParameterForms, Volumes) {
  taken({
      {{"volume", "/a:/b:ro,z"}, R"({"HostConfig":{"Binds":["/a:/b:ro,z"]}})"},
      {{"volume", ".:/b"}, R"({"HostConfig":{"Binds":["/sandbox:/b"]}})"},
      {{"volume", "./x:/b"}, R"({"HostConfig":{"Binds":["/sandbox/x:/b"]}})"},
      {{"volume", ".x:/b"}, R"({"HostConfig":{"Binds":["/sandbox/.x:/b"]}})"},
      {{"volume", "../x:/b"}, R"({"HostConfig":{"Binds":["/sandbox/../x:/b"]}})"},
      {{"volume", "vol:/b:nocopy"}, R"({"HostConfig":{"Binds":["vol:/b:nocopy"]}})"},
  });
  for (const char* value : {"", "a", ":/b", "/a:/b:", "/a:/b:,ro", "/a:/b:/c", "/a:/b:ro:z"})
    refused({{{"volume", value}, "/host:/container[:ro], volume:/container[:ro] or /container"}});
  const auto nowhere = read_parameters({{"volume", "./x:/b"}}, inputs(""));
  ASSERT_TRUE(nowhere);
  EXPECT_EQ(nowhere->warnings,
            Texts{"parameter \"volume\": expected a host path from /, ignoring"});
}

TEST(ParameterForms, ASandboxWithAColon) {
  const auto read = [](const char* value) {
    return read_parameters({{"volume", value}, {"volume", value}}, inputs("/s:1")).value();
  };
  EXPECT_EQ(json::serialize(read("./x:/b").body),
            R"({"HostConfig":{"Mounts":[{"Type":"bind","Source":"/s:1/x","Target":"/b",)"
            R"("BindOptions":{"CreateMountpoint":true}}]}})");
  EXPECT_EQ(
      json::serialize(read(".:/b:ro,rslave,cached").body),
      R"({"HostConfig":{"Mounts":[{"Type":"bind","Source":"/s:1","Target":"/b",)"
      R"("ReadOnly":true,"BindOptions":{"CreateMountpoint":true,"Propagation":"rslave"}}]}})");
  EXPECT_EQ(json::serialize(read("/x:/b").body), R"({"HostConfig":{"Binds":["/x:/b"]}})");
  for (const char* value : {"./x:/b:z", "./x:/b:ro,Z", "./x:/b:nocopy"}) {
    const auto got = read(value);
    EXPECT_EQ(got.warnings.at(0),
              "parameter \"volume\": expected no z, Z or nocopy in a sandbox whose path has a "
              "colon, ignoring");
    EXPECT_FALSE(got.body.contains("HostConfig"));
  }
}

TEST(ParameterForms, NamesOfHosts) {
  taken({
      {{"add-host", "a:[::1]"}, R"({"HostConfig":{"ExtraHosts":["a:::1"]}})"},
      {{"add-host", "a:::1"}, R"({"HostConfig":{"ExtraHosts":["a:::1"]}})"},
      {{"add-host", "a=[::1]"}, R"({"HostConfig":{"ExtraHosts":["a:::1"]}})"},
      {{"dns-search", "."}, R"({"HostConfig":{"DnsSearch":["."]}})"},
      {{"dns-search", "a-b.c."}, R"({"HostConfig":{"DnsSearch":["a-b.c"]}})"},
      // Docker refuses it, resolvers don't, and Active Directory has such names.
      {{"dns-search", "_msdcs.a"}, R"({"HostConfig":{"DnsSearch":["_msdcs.a"]}})"},
      {{"link", "a"}, R"({"HostConfig":{"Links":["a"]}})"},
  });
  for (const char* value :
       {"", "a", "a:", "a:x", "a:[::1", "a:::1]", "a:[]", ":1.2.3.4", "=1.2.3.4"})
    refused({{{"add-host", value}, "name:address, name=address or name:host-gateway"}});
  for (const char* value : {"", "a..", ".a", "a b", "a!b", "..", "1", "1.2", "1-2", "12.34."})
    refused({{{"dns-search", value}, "a domain, or . for none"}});
  for (const char* value : {"", "a:", ":a", "a:b:c"})
    refused({{{"link", value}, "container[:alias]"}});
}

TEST(ParameterForms, PublishedPorts) {
  const std::pair<const char*, const char*> table[] = {
      {"80", R"({"HostPort":""})"},
      {":80", R"({"HostPort":""})"},
      {"::80", R"({"HostPort":""})"},
      {"0:80", R"({"HostPort":"0"})"},
      {":8080:80", R"({"HostPort":"8080"})"},
      {"[]:8080:80", R"({"HostPort":"8080"})"},
      {"127.0.0.1::80", R"({"HostPort":"","HostIp":"127.0.0.1"})"},
      {"[::1]:8080:80", R"({"HostPort":"8080","HostIp":"::1"})"},
      {"::1:8080:80", R"({"HostPort":"8080","HostIp":"::1"})"},
      {"1.2.3.4:1-3:80", R"({"HostPort":"1-3","HostIp":"1.2.3.4"})"},
      {"target=80,published=8080,mode=host", R"({"HostPort":"8080"})"},
      {"target=80,published=8080,mode=ingress", R"({"HostPort":"8080"})"},
      {"target=80,published=0", R"({"HostPort":"0"})"},
      {"80/", R"({"HostPort":""})"},
      {"8080:80/", R"({"HostPort":"8080"})"},
      {"target=80,protocol=", R"({"HostPort":""})"},
  };
  for (const auto& [value, binding] : table) {
    const auto got = read_parameters({{"publish", value}}, inputs());
    ASSERT_TRUE(got);
    ASSERT_EQ(got->warnings, Texts{}) << value;
    EXPECT_EQ(got->body.at("HostConfig").at("PortBindings").at("80/tcp"),
              json::value(json::array{json::parse(binding)}))
        << value;
  }
  for (const char* value : {"", "[::1:80:80", "::1]:80:80", "a:80:80", "host:80:80", "80/x", "80:0",
                            "-80", "1-2:x", "published=8080", "target=80,foo", "\"target=80",
                            // Docker takes these and does nothing with them.
                            "target=80,mode=x", "target=80,foo=host"})
    refused({{{"publish", value}, "[address:][host port:]container port[/protocol]"}});
  taken({{{"expose", "80/"}, R"({"ExposedPorts":{"80/tcp":{}}})"}});
  for (const char* value : {"0", "x", "80/x", "65536", "80-", "-80", "/"})
    refused({{{"expose", value}, "port[-port][/tcp|udp|sctp]"}});
}

TEST(ParameterForms, FieldsOfANetwork) {
  const auto got =
      read_parameters({{"network",
                        "Name=n,alias=a,alias=b,ip=1.2.3.4,ip6=::1,link-local-ip=169.254.1.1,"
                        "mac-address=0242.ac11.0002,driver-opt=a=b,gw-priority=010"}},
                      inputs());
  ASSERT_TRUE(got);
  EXPECT_EQ(got->warnings, Texts{});
  ASSERT_EQ(got->networks.size(), 1U);
  EXPECT_EQ(got->networks[0].name, "n");
  EXPECT_EQ(json::value(got->networks[0].endpoint),
            json::parse(R"({"Aliases":["a","b"],"MacAddress":"0242.ac11.0002","GwPriority":10,
                            "DriverOpts":{"a":"b"},"IPAMConfig":{"IPv4Address":"1.2.3.4",
                            "IPv6Address":"::1","LinkLocalIPs":["169.254.1.1"]}})"));
  refused({
      {{"network", "name=n,ip=x"}, "an IPv4 address"},
      {{"network", "name=n,ip=::1"}, "an IPv4 address"},
      {{"network", "name=n,ip6=x"}, "an IPv6 address"},
      {{"network", "name=n,ip6=1.1.1.1"}, "an IPv6 address"},
      {{"network", "name=n,link-local-ip=x"}, "an IP address"},
      {{"network", "name=n,alias="}, "a name, found nothing"},
      {{"network", "name=n,alias"}, "a name, found nothing"},
      {{"network", "name=n,driver-opt=a"}, "driver-opt=name=value"},
      {{"network", "name=n,driver-opt==b"}, "driver-opt=name=value"},
      {{"network", "name=n,gw-priority=x"}, "a whole number as gw-priority"},
      {{"network", "name=n,gw-priority=0x1"}, "a whole number as gw-priority"},
      {{"network", "\"name=n"}, "a name, or name=NAME with fields such as alias=web"},
      {{"network", "alias=x"}, "the name of a network"},
      {{"network", "name="}, "the name of a network"},
      {{"network-alias", ""}, "a name, found nothing"},
  });
}

TEST(ParameterForms, MacAddresses) {
  for (const char* value : {"02:42:ac:11:00:02", "02-42-AC-11-00-02", "0242.ac11.0002"}) {
    const auto got = read_parameters({{"mac-address", value}}, inputs());
    ASSERT_TRUE(got);
    EXPECT_EQ(got->endpoint.at("MacAddress"), value);
  }
  for (const char* value :
       {"", "0242ac110002", "02:42:ac:11:00", "02:42:ac:11:00:0g", "02:42:ac:11:00:002",
        "2:42:ac:11:0:2", "02:42-ac:11:00:02", "0242:ac11:0002", "0242.ac11.00g2", "0242.ac11",
        "02:42:ac:11:00:02:03:04" /* not Ethernet's */})
    refused({{{"mac-address", value}, "a MAC address such as 02:42:ac:11:00:02"}});
}

TEST(ParameterForms, Files) {
  const auto got =
      read_parameters({{"env-file", "/windows.env"}, {"label-file", "/windows.env"}}, inputs());
  ASSERT_TRUE(got);
  EXPECT_EQ(got->env, (Texts{"A=1", "B=2"}));
  EXPECT_EQ(got->labels,
            (std::vector<std::pair<std::string, std::string>>{{"A", "1"}, {"B", "2"}}));
  for (const char* path : {"/noname", "/blank"}) {
    refused({{{"env-file", path}, "a file with NAME=value or NAME in each line"},
             {{"label-file", path}, "a file with name=value in each line"}});
  }
  const auto unread = read_parameters({{"env-file", "/windows.env"}}, {});
  ASSERT_TRUE(unread);
  EXPECT_EQ(unread->warnings, Texts{"parameter \"env-file\": files are not read here, ignoring"});
  const auto unset = read_parameters({{"env", "HOME"}}, {});
  ASSERT_TRUE(unset);
  EXPECT_EQ(unset->warnings,
            Texts{"parameter env: HOME has no value and is not set for the executor, ignoring"});
}

TEST(ParameterForms, WhatTheProcessStartsWith) {
  taken({
      {{"security-opt", "no-new-privileges:true"},
       R"({"HostConfig":{"SecurityOpt":["no-new-privileges:true"]}})"},
      {{"security-opt", "seccomp=builtin"},
       R"({"HostConfig":{"SecurityOpt":["seccomp=builtin"]}})"},
      {{"ulimit", "nofile=-1:-1"},
       R"({"HostConfig":{"Ulimits":[{"Name":"nofile","Soft":-1,"Hard":-1}]}})"},
      {{"ulimit", "nofile=1:-1"},
       R"({"HostConfig":{"Ulimits":[{"Name":"nofile","Soft":1,"Hard":-1}]}})"},
      {{"ulimit", "nofile=010:+12"},
       R"({"HostConfig":{"Ulimits":[{"Name":"nofile","Soft":10,"Hard":12}]}})"},
      {{"sysctl", "fs.mqueue.msg_max=5"},
       R"({"HostConfig":{"Sysctls":{"fs.mqueue.msg_max":"5"}}})"},
      {{"sysctl", "kernel.shmmax=1"}, R"({"HostConfig":{"Sysctls":{"kernel.shmmax":"1"}}})"},
      {{"restart", ""}, "{}"},
      {{"restart", "no"}, "{}"},
  });
  for (const char* value : {"", "x", "=x", ":x", "seccomp", "seccomp=", "label=", "label:", "x="})
    refused(
        {{{"security-opt", value}, "no-new-privileges, or name=value such as seccomp=unconfined"}});
  for (const char* value :
       {"nofile=", "nofile=1:2:3", "nofile=x:1", "nofile=1:x", "nofile=1:", "nofile=:1",
        "nofile=0x10", "nofile=-2", "nofile=-2:-1", "nofile=1:-2", "nofile=99999999999999999999"})
    refused({{{"ulimit", value}, "name=soft[:hard] such as nofile=1024:2048, -1 for no limit"}});
  refused({
      {{"security-opt", "seccomp=/list"}, "a seccomp profile that is a JSON object"},
      {{"ulimit", "nofile=-1:1"}, "a soft limit that is not above the hard limit"},
      {{"ulimit", "=1"}, "the name of a limit such as nofile, nproc, core or memlock"},
      {{"sysctl", "net.x"}, "name=value such as net.core.somaxconn=1024"},
      {{"sysctl", "=1"}, "a sysctl below net. or fs.mqueue., or one of System V IPC"},
      {{"health-cmd", ""}, "a value, found nothing"},
  });
}

TEST(ParameterForms, Platforms) {
  for (const char* value : {"linux/amd64", "linux/arm64/v8", "Linux/x86_64", "linux/a.b-c"}) {
    const auto got = read_parameters({{"platform", value}}, inputs());
    ASSERT_TRUE(got);
    EXPECT_EQ(got->platform, value);
  }
  const std::pair<const char*, const char*> alone[] = {
      {"arm64", "linux/arm64"},  {"aarch64", "linux/arm64"}, {"X86_64", "linux/amd64"},
      {"armel", "linux/arm/v6"}, {"s390x", "linux/s390x"},
  };
  for (const auto& [value, platform] : alone)
    EXPECT_EQ(read_parameters({{"platform", value}}, inputs())->platform, platform);
#if defined(__x86_64__)
  EXPECT_EQ(read_parameters({{"platform", "linux"}}, inputs())->platform, "linux/amd64");
#endif
  for (const char* value : {"", "linux/arm64/v8/x", "linux//v8", "/amd64", "linux/a!b", "linux/{",
                            "linux/", "x", "local"})
    refused({{{"platform", value}, "os/architecture such as linux/amd64"}});
}

}  // namespace
}  // namespace sidecar_executor::docker
