#include "vault_answers.hpp"

#include <ctime>

#include "state_endpoints.hpp"

namespace mini_agent {
namespace {

namespace json = boost::json;

std::string wall_time(std::time_t time) {
  std::tm parts{};
  gmtime_r(&time, &parts);
  char text[40];
  std::strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S.000000000Z", &parts);
  return text;
}

// Of something that happened so long ago, as far as clocks agree.
std::time_t wall_clock(VaultTime when) {
  const auto ago = std::chrono::steady_clock::now() - when;
  return std::time(nullptr) -
         static_cast<std::time_t>(std::chrono::duration_cast<std::chrono::seconds>(ago).count());
}

json::array policies() { return {"app", "default"}; }

}  // namespace

HttpAnswer vault_answer(json::object members, unsigned status) {
  json::object whole{{"request_id", random_text(8) + "-0000-0000-0000-" + random_text(12)},
                     {"lease_id", ""},
                     {"renewable", false},
                     {"lease_duration", 0},
                     {"data", nullptr},
                     {"wrap_info", nullptr},
                     {"warnings", nullptr},
                     {"auth", nullptr}};
  for (auto& member : members) whole[member.key()] = std::move(member.value());
  HttpAnswer answer = json_answer(json::serialize(whole) + "\n");
  answer.status = status;
  answer.reason = reason_phrase(status);
  return answer;
}

HttpAnswer vault_errors(unsigned status, const json::array& errors) {
  HttpAnswer answer = json_answer(json::serialize(json::object{{"errors", errors}}) + "\n");
  answer.status = status;
  answer.reason = reason_phrase(status);
  return answer;
}

HttpAnswer vault_no_content() {
  HttpAnswer answer;
  answer.status = 204;
  answer.reason = reason_phrase(204);
  return answer;
}

json::object vault_auth(const VaultToken& token, std::chrono::seconds duration) {
  return {{"client_token", token.id},
          {"accessor", token.accessor},
          {"policies", policies()},
          {"token_policies", policies()},
          {"metadata", token.meta},
          {"lease_duration", duration.count()},
          {"renewable", token.term.life.renewable},
          {"entity_id", ""},
          {"token_type", "service"},
          {"orphan", true},
          {"mfa_requirement", nullptr},
          {"num_uses", 0}};
}

json::object vault_lookup(const VaultToken& token, std::chrono::seconds rest) {
  const std::time_t issued = wall_clock(token.term.issued);
  json::value expires;
  if (token.term.end) expires = wall_time(wall_clock(*token.term.end));
  return {{"accessor", token.accessor},
          {"creation_time", issued},
          {"creation_ttl", token.term.life.ttl.count()},
          {"display_name", token.display_name},
          {"entity_id", ""},
          {"expire_time", expires},
          {"explicit_max_ttl", token.term.life.max_ttl.count()},
          {"id", token.id},
          {"issue_time", wall_time(issued)},
          {"meta", token.meta},
          {"num_uses", 0},
          {"orphan", true},
          {"path", token.path},
          {"policies", policies()},
          {"renewable", token.term.end && token.term.life.renewable},
          {"ttl", rest.count()},
          {"type", "service"}};
}

json::object vault_version_metadata(std::size_t version, bool deleted) {
  return {{"created_time", "2026-01-02T03:04:05.678901234Z"},
          {"custom_metadata", nullptr},
          {"deletion_time", deleted ? "2026-02-03T04:05:06.789012345Z" : ""},
          {"destroyed", false},
          {"version", version}};
}

}  // namespace mini_agent
