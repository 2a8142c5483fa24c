#include "docker/registry_auth.hpp"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <map>

#include "base/encoding.hpp"
#include "noise.hpp"

namespace sidecar_executor::docker {
namespace {

using Texts = std::vector<std::string>;
const std::string hub = "https://index.docker.io/v1/";

/// The header's JSON.
std::string plain(const std::string& header) {
  std::string standard = header;
  for (char& c : standard) {
    if (c == '-') c = '+';
    if (c == '_') c = '/';
  }
  return base64_decode(standard).value_or("no base64");
}

RegistryAuth find(const std::string& repository, std::string_view registry,
                  const std::map<std::string, std::string>& files) {
  Texts paths;
  for (const auto& [path, text] : files) paths.push_back(path);
  paths.emplace_back("/absent");
  return find_registry_auth(repository, registry, paths,
                            [&](const std::string& path) -> Result<std::string> {
                              const auto found = files.find(path);
                              if (found != files.end()) return found->second;
                              return Error{ErrorKind::not_found, "no such file"};
                            });
}

std::string config(const std::string& auths) { return R"({"auths":{)" + auths + "}}"; }
std::string entry(const std::string& key, const std::string& secret) {
  return "\"" + key + R"(":{"auth":")" + base64_encode(secret) + "\"}";
}

TEST(RegistryAuth, Paths) {
  const auto paths = [](std::map<std::string, std::string> variables) {
    return docker_config_paths([variables](std::string_view name) -> std::optional<std::string> {
      const auto found = variables.find(std::string(name));
      if (found == variables.end()) return std::nullopt;
      return found->second;
    });
  };
  EXPECT_EQ(paths({}), (Texts{"/root/.docker/config.json", "/root/.dockercfg"}));
  EXPECT_EQ(paths({{"HOME", "/root"}}), (Texts{"/root/.docker/config.json", "/root/.dockercfg"}));
  EXPECT_EQ(paths({{"DOCKER_CONFIG", "/etc/d"}, {"HOME", "/home/u"}}),
            (Texts{"/etc/d/config.json", "/home/u/.docker/config.json", "/home/u/.dockercfg",
                   "/root/.docker/config.json", "/root/.dockercfg"}));
  EXPECT_EQ(paths({{"DOCKER_CONFIG", ""}, {"HOME", ""}}).size(), 2U);
}

TEST(RegistryAuth, Formats) {
  const struct {
    std::string json, header;
  } table[] = {
      // Golden feat_13, feat_13c.
      {config(entry("127.0.0.1:5001", "puller:pullpass")),
       R"({"username":"puller","password":"pullpass","serveraddress":"127.0.0.1:5001"})"},
      {R"({"127.0.0.1:5001":{"auth":"cHVsbGVyOnB1bGxwYXNz","email":"x@example.com"}})",
       R"({"username":"puller","password":"pullpass","email":"x@example.com",)"
       R"("serveraddress":"127.0.0.1:5001"})"},
      {config(R"("127.0.0.1:5001":{"username":"u","password":"p"})"),
       R"({"username":"u","password":"p","serveraddress":"127.0.0.1:5001"})"},
      {config(R"("127.0.0.1:5001":{"auth":"dTo=","identitytoken":"id"})"),
       R"({"username":"u","serveraddress":"127.0.0.1:5001","identitytoken":"id"})"},
      {config(R"("127.0.0.1:5001":{"registrytoken":"rt"})"),
       R"({"serveraddress":"127.0.0.1:5001","registrytoken":"rt"})"},
      {config(entry("127.0.0.1:5001", std::string("u:p:q\0\0", 7))),
       R"({"username":"u","password":"p:q","serveraddress":"127.0.0.1:5001"})"},
  };
  for (const auto& row : table) {
    const auto got = find("127.0.0.1:5001", "127.0.0.1:5001", {{"/f", row.json}});
    EXPECT_EQ(plain(got.header), row.header);
    EXPECT_EQ(got.source, "/f, entry 127.0.0.1:5001");
    EXPECT_TRUE(got.warnings.empty());
  }
}

TEST(RegistryAuth, HeaderIsBase64Url) {
  const auto got = find("r", "r", {{"/f", config(entry("r", "u:\xC3\xBF\xC3\xBE>>>???~~~"))}});
  EXPECT_EQ(got.header.find_first_of("+/"), std::string::npos);
  EXPECT_NE(plain(got.header).find("\xC3\xBF\xC3\xBE>>>???~~~"), std::string::npos);
}

TEST(RegistryAuth, WhichEntry) {
  const std::string both =
      config(entry(hub, "hub:1") + "," + entry("https://reg:5000/v2/", "reg:1"));
  const struct {
    std::string why, repository, registry, json, user;
  } table[] = {
      {"exact", hub, "docker.io", both, "hub"},
      {"host name, scheme and path stripped", "reg:5000", "docker.io", both, "reg"},
      {"host name, the other way", "http://REG:5000/x", "docker.io", both, "reg"},
      {"the image's own registry", "elsewhere", "reg:5000", both, "reg"},
      {"the image is Docker Hub's", "elsewhere", "docker.io", both, "hub"},
      {"no repository named", "", "reg:5000", both, "reg"},
      {"Docker Hub by another of its names", hub, "docker.io", config(entry("docker.io", "d:1")),
       "d"},
      {"Docker Hub by the address it is pulled from", hub, "docker.io",
       config(entry("https://registry-1.docker.io/v2/", "p:1")), "p"},
      {"an entry that is no object is passed over", "reg:5000", "docker.io",
       config(R"("reg:5000":"auth",)" + entry("https://reg:5000", "x:1")), "x"},
      {"exact goes before host name", "reg:5000", "x",
       config(entry("https://reg:5000", "a:1") + "," + entry("reg:5000", "b:1")), "b"},
      {"another port is another registry", "reg:5001", "reg:5001", both, ""},
      {"nothing matches", "elsewhere", "other", both, ""},
      {"an entry without credentials is passed over", "reg:5000", "docker.io",
       config(R"("reg:5000":{},)" + entry("https://reg:5000", "x:1")), "x"},
  };
  for (const auto& row : table) {
    const auto header = find(row.repository, row.registry, {{"/f", row.json}}).header;
    const auto wanted = "{\"username\":\"" + row.user + "\"";
    if (row.user.empty()) {
      EXPECT_EQ(header, "") << row.why;
    } else {
      EXPECT_EQ(plain(header).substr(0, wanted.size()), wanted) << row.why;
    }
  }
}

TEST(RegistryAuth, FilesInOrder) {
  const auto got = find("r", "r",
                        {{"/1", config("")},
                         {"/2", config(entry("r", "two:1"))},
                         {"/3", config(entry("r", "three:1"))}});
  EXPECT_EQ(got.source, "/2, entry r");
}

TEST(RegistryAuth, WarningsNameFileAndEntryAndNoSecret) {
  const struct {
    std::string json, says;
  } table[] = {
      {"{\"s3cr3t", "/f is not a JSON object, ignoring"},
      {"[]", "/f is not a JSON object, ignoring"},
      {R"({"auths":{"r":{"auth":"s3cr3t!"}}})",
       "/f, entry r: auth is not the base64 of user:password, ignoring"},
      {R"({"auths":{"r":{"auth":")" + base64_encode("s3cr3t") + "\"}}}",
       "/f, entry r: auth is not the base64 of user:password, ignoring"},
  };
  for (const auto& row : table) {
    const auto got = find("r", "r", {{"/f", row.json}});
    EXPECT_EQ(got.header, "");
    EXPECT_EQ(got.warnings, (Texts{row.says}));
  }
  const auto unreadable =
      find_registry_auth("r", "r", {"/f"}, [](const std::string&) -> Result<std::string> {
        return Error{ErrorKind::unauthorized, "permission denied"};
      });
  EXPECT_EQ(unreadable.warnings, (Texts{"/f cannot be read: permission denied, ignoring"}));
}

std::string helpers_of(const RegistryAuth& auth) {
  std::string out;
  for (const auto& helper : auth.helpers)
    out += helper.name + " for " + helper.server + " (" + helper.source + ")\n";
  return out;
}

TEST(RegistryAuth, HelpersAreNamedInOrder) {
  const struct {
    std::string json, helpers;
  } table[] = {
      {R"({"credHelpers":{"https://r/v2/":"ecr-login","x":"y"},"credsStore":"pass"})",
       "ecr-login for https://r/v2/ (/f, credHelpers)\npass for r (/f, credsStore)\n"},
      {R"({"auths":{"r":{}},"credsStore":"pass"})", "pass for r (/f, credsStore)\n"},
      {R"({"credHelpers":{"x":"y"}})", ""},
      {R"({"credHelpers":[],"credsStore":5})", ""},
      {R"({"credHelpers":{"r":5,"https://r":"pass"}})", "pass for https://r (/f, credHelpers)\n"},
  };
  for (const auto& row : table) {
    const auto got = find("r", "r", {{"/f", row.json}});
    EXPECT_EQ(got.header, "");
    EXPECT_EQ(helpers_of(got), row.helpers);
    EXPECT_TRUE(got.warnings.empty());
  }
}

TEST(RegistryAuth, HelpersOfTheImagesRegistryComeSecond) {
  const auto got = find("https://r/v1/", "other:5000",
                        {{"/f", R"({"credHelpers":{"r":"a","other:5000":"b"}})"}});
  EXPECT_EQ(helpers_of(got), "a for r (/f, credHelpers)\nb for other:5000 (/f, credHelpers)\n");
  const auto hub_store = find("", "docker.io", {{"/f", R"({"credsStore":"pass"})"}});
  EXPECT_EQ(helpers_of(hub_store), "pass for " + hub + " (/f, credsStore)\n");
}

TEST(RegistryAuth, AHelperBesideAnEntry) {
  const auto got =
      find("r", "r", {{"/f", R"({"credsStore":"pass","auths":{)" + entry("r", "u:p") + "}}"}});
  EXPECT_NE(got.header, "");
  EXPECT_EQ(got.helpers.size(), 1U);
}

TEST(RegistryAuth, WhatAHelperPrints) {
  const CredentialHelper helper{"test", "r", "f"};
  const auto user = auth_of_helper(helper, R"({"ServerURL":"r","Username":"u","Secret":"p"})");
  ASSERT_TRUE(user);
  EXPECT_EQ(plain(*user), R"({"username":"u","password":"p","serveraddress":"r"})");
  const auto token = auth_of_helper(helper, R"({"Username":"<token>","Secret":"t"})");
  ASSERT_TRUE(token);
  EXPECT_EQ(plain(*token), R"({"serveraddress":"r","identitytoken":"t"})");
  for (const auto* output : {"", "s3cr3t", "[]", R"({"Username":"s3cr3t"})", R"({"Secret":5})"}) {
    const auto bad = auth_of_helper(helper, output);
    ASSERT_FALSE(bad) << output;
    EXPECT_EQ(bad.error().message,
              "docker-credential-test printed no JSON object with Username and Secret");
  }
}

TEST(RegistryAuth, Noise) {
  with_noise({config(entry("r", "user:s3cr3t") + "," + entry(hub, "a:b")),
              R"({"credHelpers":{"r":"x"},"credsStore":"y"})"},
             [](const std::string& text) {
               const auto got = find("r", "r", {{"/f", text}});
               for (const auto& warning : got.warnings)
                 EXPECT_EQ(warning.find("s3cr3t"), std::string::npos);
             });
}

}  // namespace
}  // namespace sidecar_executor::docker
