#include "vault_content.hpp"

#include <fstream>
#include <iterator>
#include <stdexcept>

namespace mini_agent {
namespace {

namespace json = boost::json;

[[noreturn]] void wrong(const std::string& where, const char* wanted) {
  throw std::runtime_error("--vault: " + where + ": expected " + wanted);
}

const json::object& object_of(const json::value& value, const std::string& where) {
  if (!value.is_object()) wrong(where, "an object");
  return value.get_object();
}

std::string text_of(const json::object& object, std::string_view name, const std::string& where) {
  const json::value* value = object.if_contains(name);
  if (value == nullptr || !value->is_string()) wrong(where + "/" + std::string(name), "a string");
  return std::string(value->get_string());
}

bool flag_of(const json::object& object, std::string_view name, bool otherwise,
             const std::string& where) {
  const json::value* value = object.if_contains(name);
  if (value == nullptr) return otherwise;
  if (!value->is_bool()) wrong(where + "/" + std::string(name), "true or false");
  return value->get_bool();
}

std::chrono::seconds seconds_of(const json::object& object, std::string_view name,
                                std::chrono::seconds otherwise, const std::string& where) {
  const json::value* value = object.if_contains(name);
  if (value == nullptr) return otherwise;
  if (!value->is_int64() || value->get_int64() < 0) {
    wrong(where + "/" + std::string(name), "whole seconds");
  }
  return std::chrono::seconds(value->get_int64());
}

VaultLife life_of(const json::object& object, std::chrono::seconds ttl, const std::string& where) {
  return {.ttl = seconds_of(object, "ttl", ttl, where),
          .max_ttl = seconds_of(object, "max_ttl", std::chrono::seconds(0), where),
          .renewable = flag_of(object, "renewable", true, where)};
}

constexpr std::chrono::seconds kHour(3600);

VaultContent::User user(const json::value& value, const std::string& where) {
  const json::object& object = object_of(value, where);
  return {text_of(object, "password", where), life_of(object, kHour, where)};
}

VaultContent::AppRole app_role(const json::value& value, const std::string& where) {
  const json::object& object = object_of(value, where);
  return {text_of(object, "secret_id", where), life_of(object, kHour, where)};
}

VaultContent::AwsRole aws_role(const json::value& value, const std::string& where) {
  const json::object& object = object_of(value, where);
  return {life_of(object, kHour, where), flag_of(object, "security_token", false, where)};
}

json::value secret(const json::value& value, const std::string& where) {
  return object_of(value, where);
}

json::array versions(const json::value& value, const std::string& where) {
  if (!value.is_array()) wrong(where, "an array of versions");
  for (const auto& version : value.get_array()) {
    if (!version.is_object() && !version.is_null()) wrong(where, "objects or null as versions");
  }
  return value.get_array();
}

template <typename T, typename Read>
void read_mounts(const json::object& root, const char* name, VaultContent::Mounts<T>& mounts,
                 Read read) {
  const json::value* all = root.if_contains(name);
  if (all == nullptr) return;
  for (const auto& mount : object_of(*all, name)) {
    const std::string where = std::string(name) + "/" + std::string(mount.key()) + "/";
    auto& entries = mounts[std::string(mount.key())];
    for (const auto& entry : object_of(mount.value(), where)) {
      const std::string key(entry.key());
      entries[key] = read(entry.value(), where + key);
    }
  }
}

void read_tokens(const json::object& root, VaultContent& content) {
  const json::value* all = root.if_contains("tokens");
  if (all == nullptr) return;
  for (const auto& entry : object_of(*all, "tokens")) {
    const std::string name(entry.key()), where = "tokens/" + name;
    const json::object& object = object_of(entry.value(), where);
    content.tokens[name] = {text_of(object, "id", where),
                            life_of(object, std::chrono::seconds(0), where)};
  }
}

void refuse_unknown(const json::object& root) {
  for (const auto& member : root) {
    bool known = false;
    for (const char* name : {"tokens", "userpass", "approle", "aws", "kv1", "kv2"}) {
      known = known || member.key() == name;
    }
    if (!known) wrong(member.key(), "tokens, userpass, approle, aws, kv1 or kv2");
  }
}

}  // namespace

VaultContent parse_vault_content(std::string_view text) {
  json::error_code error;
  const json::value parsed = json::parse(text, error);
  if (error) throw std::runtime_error("--vault: " + error.message());
  const json::object& root = object_of(parsed, "the file");
  refuse_unknown(root);
  VaultContent content;
  read_tokens(root, content);
  read_mounts(root, "userpass", content.userpass, user);
  read_mounts(root, "approle", content.approle, app_role);
  read_mounts(root, "aws", content.aws, aws_role);
  read_mounts(root, "kv1", content.kv1, secret);
  read_mounts(root, "kv2", content.kv2, versions);
  return content;
}

VaultContent load_vault_content(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("--vault: cannot read " + path);
  return parse_vault_content(
      std::string(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()));
}

}  // namespace mini_agent
