#include "docker/registry_auth.hpp"

#include <algorithm>
#include <boost/json.hpp>

#include "base/encoding.hpp"
#include "base/pretty_json.hpp"
#include "base/text.hpp"

namespace sidecar_executor::docker {
namespace {

namespace json = boost::json;

/// Docker Hub's entry is named by the address of its old API, for ever.
constexpr std::string_view hub_key = "https://index.docker.io/v1/";
constexpr std::size_t longest_key = 200;

/// Host name and port of an entry's key, as Docker's CLI matches (credentials.ConvertToHostname):
/// scheme and path stripped. Docker Hub's names are one.
std::string host_of(std::string_view key) {
  if (const auto scheme = key.find("://"); scheme != std::string_view::npos)
    key.remove_prefix(scheme + 3);
  auto host = to_lower(key.substr(0, key.find('/')));
  if (host == "docker.io" || host == "registry-1.docker.io") host = "index.docker.io";
  return host;
}

/// A config file, read and parsed.
struct ConfigFile {
  std::string path;
  json::object root;

  /// config.json keeps its entries below `auths`, .dockercfg at the top.
  [[nodiscard]] const json::object* entries() const {
    const auto* auths = root.if_contains("auths");
    return auths != nullptr ? auths->if_object() : &root;
  }
};

/// One entry's credentials. Docker's names (types.AuthConfig), sent on as they are.
struct Credentials {
  std::string username;
  std::string password;
  std::string email;
  std::string identity_token;
  std::string registry_token;

  [[nodiscard]] bool usable() const {
    return !username.empty() || !identity_token.empty() || !registry_token.empty();
  }
};

std::string header_of(const Credentials& credentials, std::string_view server) {
  json::object out;
  const auto put = [&out](std::string_view key, const std::string& value) {
    if (!value.empty()) out[key] = value;
  };
  put("username", credentials.username);
  put("password", credentials.password);
  put("email", credentials.email);
  out["serveraddress"] = server;
  put("identitytoken", credentials.identity_token);
  put("registrytoken", credentials.registry_token);
  return base64url_encode(json::serialize(out));
}

class Finder {
 public:
  explicit Finder(std::vector<ConfigFile> files, RegistryAuth& out)
      : files_(std::move(files)), out_(out) {}

  /// By exact key, then by host, file by file.
  bool find(const std::string& wanted) {
    for (const auto& file : files_) {
      add_helpers(file, wanted);
      const auto* entries = file.entries();
      if (entries == nullptr) continue;
      if (const auto* exact = entries->if_contains(wanted); exact && use(file, wanted, *exact))
        return true;
      for (const auto& entry : *entries) {
        const std::string key(entry.key());
        if (key != wanted && host_of(key) == host_of(wanted) && use(file, key, entry.value()))
          return true;
      }
    }
    return false;
  }

 private:
  /// credHelpers for this registry, then the file's credsStore.
  void add_helpers(const ConfigFile& file, const std::string& wanted) {
    const auto* helpers = file.root.if_contains("credHelpers");
    if (helpers != nullptr && helpers->is_object()) {
      for (const auto& entry : helpers->get_object()) {
        if (host_of(entry.key()) == host_of(wanted) && entry.value().is_string())
          add_helper(std::string(entry.value().get_string()), std::string(entry.key()),
                     file.path + ", credHelpers");
      }
    }
    const auto store = text_at(file.root, "credsStore");
    if (!store.empty()) add_helper(store, wanted, file.path + ", credsStore");
  }

  void add_helper(std::string name, std::string server, std::string source) {
    for (const auto& known : out_.helpers)
      if (known.name == name && known.server == server) return;
    out_.helpers.push_back({std::move(name), std::move(server), std::move(source)});
  }

  bool use(const ConfigFile& file, const std::string& key, const json::value& entry) {
    if (!entry.is_object()) return false;
    const auto where = file.path + ", entry " + one_line(key, longest_key);
    const auto credentials = read(entry.get_object(), where);
    if (!credentials.usable()) return false;  // what `docker login` leaves for a credsStore: {}
    out_.header = header_of(credentials, key);
    out_.source = where;
    return true;
  }

  Credentials read(const json::object& entry, const std::string& where) {
    Credentials out{text_at(entry, "username"), text_at(entry, "password"), text_at(entry, "email"),
                    text_at(entry, "identitytoken"), text_at(entry, "registrytoken")};
    const auto auth = text_at(entry, "auth");
    if (auth.empty()) return out;
    const auto plain = base64_decode(auth);
    const auto colon = plain ? plain->find(':') : std::string::npos;
    if (colon == std::string::npos) {
      warn(where + ": auth is not the base64 of user:password, ignoring");
      return out;
    }
    out.username = plain->substr(0, colon);
    out.password = plain->substr(colon + 1);
    // Docker's CLI once padded with NULs and strips them ever since.
    out.password.erase(out.password.find_last_not_of('\0') + 1);
    return out;
  }

  void warn(std::string text) {
    const auto& all = out_.warnings;
    if (std::find(all.begin(), all.end(), text) == all.end())
      out_.warnings.push_back(std::move(text));
  }

  std::vector<ConfigFile> files_;
  RegistryAuth& out_;
};

std::vector<ConfigFile> read_files(const std::vector<std::string>& paths, const ReadFile& read_file,
                                   std::vector<std::string>& warnings) {
  std::vector<ConfigFile> out;
  for (const auto& path : paths) {
    const auto bytes = read_file(path);
    if (!bytes) {
      if (bytes.error().kind != ErrorKind::not_found)
        warnings.push_back(path + " cannot be read: " + bytes.error().message + ", ignoring");
      continue;
    }
    boost::system::error_code failed;
    auto parsed = json::parse(*bytes, failed);
    if (failed || !parsed.is_object()) {
      warnings.push_back(path + " is not a JSON object, ignoring");
      continue;
    }
    out.push_back({path, std::move(parsed.get_object())});
  }
  return out;
}

}  // namespace

std::vector<std::string> docker_config_paths(const Lookup& environment) {
  std::vector<std::string> out;
  const auto add = [&out](std::string path) {
    if (std::find(out.begin(), out.end(), path) == out.end()) out.push_back(std::move(path));
  };
  const auto directory = environment("DOCKER_CONFIG");
  if (directory && !directory->empty()) add(*directory + "/config.json");
  const auto home = environment("HOME");
  if (home && !home->empty()) {
    add(*home + "/.docker/config.json");
    add(*home + "/.dockercfg");
  }
  add("/root/.docker/config.json");
  add("/root/.dockercfg");
  return out;
}

RegistryAuth find_registry_auth(const std::string& docker_repository,
                                std::string_view image_registry,
                                const std::vector<std::string>& paths, const ReadFile& read_file) {
  RegistryAuth out;
  Finder finder(read_files(paths, read_file, out.warnings), out);
  const std::string image_key(image_registry == "docker.io" ? hub_key : image_registry);
  if (!docker_repository.empty() && finder.find(docker_repository)) return out;
  finder.find(image_key);
  return out;
}

Result<std::string> auth_of_helper(const CredentialHelper& helper, std::string_view output) {
  boost::system::error_code failed;
  const auto parsed = json::parse(output, failed);
  const auto* object = failed ? nullptr : parsed.if_object();
  const auto user = object != nullptr ? text_at(*object, "Username") : std::string{};
  const auto secret = object != nullptr ? text_at(*object, "Secret") : std::string{};
  if (user.empty() || secret.empty())
    return Error{ErrorKind::protocol, "docker-credential-" + helper.name +
                                          " printed no JSON object with Username and Secret"};
  Credentials out;
  if (user == "<token>") {
    out.identity_token = secret;
  } else {
    out.username = user;
    out.password = secret;
  }
  return header_of(out, helper.server);
}

}  // namespace sidecar_executor::docker
