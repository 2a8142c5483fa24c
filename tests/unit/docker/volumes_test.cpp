#include "docker/volumes.hpp"

#include "asked.hpp"

namespace sidecar_executor::docker {
namespace {

using Source = mesos::Volume::Source;

mesos::Volume bind(std::string host, std::string container, std::optional<bool> read_only = {}) {
  mesos::Volume out;
  out.host_path = std::move(host);
  out.container_path = std::move(container);
  out.has_mode = read_only.has_value();
  out.read_only = read_only.value_or(false);
  return out;
}

mesos::Volume of(Source source, std::string container, std::string path = {}) {
  mesos::Volume out;
  out.container_path = std::move(container);
  out.source = source;
  out.source_path = std::move(path);
  return out;
}

Asked with(std::vector<mesos::Volume> volumes) {
  Asked asked;
  asked.inputs.sandbox = "/sandbox";
  asked.task.container->volumes = std::move(volumes);
  return asked;
}

std::string binds(Asked asked) { return json::serialize(asked.host().at("Binds")); }
std::string mounts(Asked asked) { return json::serialize(asked.host().at("Mounts")); }

TEST(Volumes, OfTheHost) {
  EXPECT_EQ(binds(with({bind("/a b", "/x", true), bind("/b", "/y", false), bind("/c", "/z"),
                        of(Source::host_path, "/w", "/d")})),
            R"(["/a b:/x:ro","/b:/y","/c:/z","/d:/w"])");
}

TEST(Volumes, BelowTheSandbox) {
  auto asked = with({bind("data/x", "/x", true), bind("./y", "/y"), bind(".", "/all"),
                     of(Source::none, "/cache"), of(Source::sandbox_path, "/s", "s"),
                     of(Source::host_path, "/h", "h"), of(Source::none, "rel")});
  EXPECT_EQ(binds(asked),
            R"(["/sandbox/data/x:/x:ro","/sandbox/y:/y","/sandbox:/all","/sandbox/cache:/cache",)"
            R"("/sandbox/s:/s","/sandbox/h:/h","/sandbox/rel:/mnt/mesos/sandbox/rel"])");
  EXPECT_EQ(asked.spec()->directories,
            (Texts{"/sandbox/data/x", "/sandbox/y", "/sandbox", "/sandbox/cache", "/sandbox/s",
                   "/sandbox/h", "/sandbox/rel"}));
}

TEST(Volumes, WithoutAPathTheSandboxItself) {
  EXPECT_EQ(binds(with({bind("", "/x"), bind("./", "/y"), of(Source::none, "/")})),
            R"(["/sandbox/x:/x","/sandbox:/y","/sandbox:/"])");
}

TEST(Volumes, ADriverMakesARelativePathAName) {
  auto field = with({bind("data", "/x"), bind("/a", "/y")});
  field.docker().volume_driver = "nfs";
  EXPECT_EQ(binds(field), R"(["data:/x","/a:/y"])");
  EXPECT_TRUE(field.spec()->directories.empty());
  auto parameter = with({bind("data", "/x")});
  parameter.parameter("volume-driver", "nfs");
  EXPECT_EQ(binds(parameter), R"(["data:/x"])");
}

TEST(Volumes, OfDocker) {
  auto volume = of(Source::docker_volume, "/x");
  volume.docker_volume = {"local", "v1", {{"type", "tmpfs"}, {"o", "size=1m"}}};
  volume.has_mode = volume.read_only = true;
  auto plain = of(Source::docker_volume, "/y");
  plain.docker_volume.name = "v2";
  EXPECT_EQ(mounts(with({volume, plain})),
            R"([{"Type":"volume","Source":"v1","Target":"/x","ReadOnly":true,"VolumeOptions":)"
            R"({"DriverConfig":{"Name":"local","Options":{"type":"tmpfs","o":"size=1m"}}}},)"
            R"({"Type":"volume","Source":"v2","Target":"/y"}])");
}

TEST(Volumes, PathsWithAColonAreMounts) {
  auto shared = of(Source::host_path, "/x:y", "/a");
  shared.propagation = "BIDIRECTIONAL";
  EXPECT_EQ(mounts(with({bind("/a:b", "/x", true), shared})),
            R"([{"Type":"bind","Source":"/a:b","Target":"/x","ReadOnly":true},)"
            R"({"Type":"bind","Source":"/a","Target":"/x:y",)"
            R"("BindOptions":{"Propagation":"rshared"}}])");
}

TEST(Volumes, Propagation) {
  auto shared = of(Source::host_path, "/x", "/a");
  shared.propagation = "BIDIRECTIONAL";
  auto slave = of(Source::host_path, "/y", "/b");
  slave.propagation = "HOST_TO_CONTAINER";
  slave.has_mode = slave.read_only = true;
  EXPECT_EQ(binds(with({shared, slave})), R"(["/a:/x:rshared","/b:/y:ro,rslave"])");
}

TEST(Volumes, BehindThoseOfParameters) {
  auto asked = with({bind("/a", "/x")});
  asked.parameter("volume", "/p:/p");
  EXPECT_EQ(binds(asked), R"(["/p:/p","/a:/x"])");
}

/// Docker refuses two at one container path.
TEST(Volumes, TheFieldWinsOverParameters) {
  auto same = with({bind("/a", "/b", false), bind("/c", "/d", true)});
  same.settings.strict_parameters = true;  // a field that wins is no fault
  same.parameter("volume", "/a:/b").parameter("volume", "/c:/d:ro");
  EXPECT_EQ(binds(same), R"(["/a:/b","/c:/d:ro"])");
  EXPECT_TRUE(same.spec()->warnings.empty());

  auto other = with({bind("/a", "/b/")});
  other.parameter("volume", "/x:/b:ro").parameter("mount", "type=bind,src=/y,dst=/b");
  other.parameter("tmpfs", "/b").parameter("volume", "/z:/z").parameter("tmpfs", "/t");
  EXPECT_EQ(json::value(other.host()),
            json::parse(R"({"Binds":["/z:/z","/a:/b/"],"Tmpfs":{"/t":""},)"
                        R"("NetworkMode":"default"})"));
  EXPECT_EQ(other.spec()->warnings,
            (Texts{"parameter \"volume\": container.volumes has something else at /b and wins, "
                   "ignoring",
                   "parameter \"mount\": container.volumes has something else at /b and wins, "
                   "ignoring",
                   "parameter \"tmpfs\": container.volumes has something else at /b and wins, "
                   "ignoring"}));

  auto volume = of(Source::docker_volume, "/b");
  volume.docker_volume.name = "v";
  auto mounted = with({volume});
  mounted.parameter("volume", "/a:/b").parameter("mount", "src=v,dst=/b");
  EXPECT_EQ(mounts(mounted), R"([{"Type":"volume","Source":"v","Target":"/b"}])");
  EXPECT_FALSE(mounted.host().contains("Binds"));
  EXPECT_EQ(mounted.spec()->warnings.size(), 1U);
}

TEST(Volumes, FaultsAreNamed) {
  auto parent = of(Source::sandbox_path, "/x", "p");
  parent.sandbox_path_of_parent = true;
  const struct {
    mesos::Volume volume;
    const char* says;
  } table[] = {
      {bind("/a", ""), "container.volumes[1].container_path: missing or empty"},
      {bind("../up", "/x"),
       "container.volumes[1].host_path: \"../up\" leads out of the sandbox with \"..\""},
      {of(Source::none, "/a/../../b"),
       "container.volumes[1].container_path: \"/a/../../b\" leads out of the sandbox with \"..\""},
      {of(Source::docker_volume, "/x"),
       "container.volumes[1].source.docker_volume.name: missing or empty"},
      {of(Source::host_path, "/x"), "container.volumes[1].source.host_path.path: missing or empty"},
      {of(Source::sandbox_path, "/x"),
       "container.volumes[1].source.sandbox_path.path: missing or empty"},
      {parent,
       "container.volumes[1].source.sandbox_path.type: PARENT is for nested containers, this task "
       "has none"},
      {of(Source::secret, "/x"),
       "container.volumes[1].source.type: volumes of type SECRET are not supported; give the "
       "secret as a variable of type SECRET"},
      {of(Source::unknown, "/x"),
       "container.volumes[1].source.type: expected DOCKER_VOLUME, HOST_PATH or SANDBOX_PATH"},
  };
  for (const auto& row : table) EXPECT_EQ(with({bind("/ok", "/ok"), row.volume}).error(), row.says);
  auto nowhere = with({bind("data", "/x")});
  nowhere.inputs.sandbox.clear();
  EXPECT_EQ(nowhere.error(),
            "container.volumes[0].host_path: \"data\" is below the sandbox, and MESOS_SANDBOX does "
            "not say where that is");
}

}  // namespace
}  // namespace sidecar_executor::docker
