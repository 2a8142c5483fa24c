#include "vault.hpp"

#include <stdexcept>
#include <utility>

#include "state_endpoints.hpp"
#include "vault_answers.hpp"

namespace mini_agent {
namespace {

namespace json = boost::json;

// Between the bytes of an answer that drips.
constexpr auto kDripPause = std::chrono::milliseconds(100);

HttpAnswer status_answer(const VaultFault& fault) {
  if (fault.status == 403) {
    return vault_errors(403, {"1 error occurred:\n\t* permission denied\n\n"});
  }
  if (fault.status != 429) return vault_errors(fault.status, {"the stand-in Vault was told to"});
  HttpAnswer answer = vault_errors(429, {"request path \"\": rate limit quota exceeded"});
  answer.headers.emplace_back("Retry-After", std::to_string(fault.retry_after));
  return answer;
}

}  // namespace

StandInVault::StandInVault(boost::asio::io_context& io, VaultOptions options, Emit emit)
    : options_(std::move(options)),
      emit_(std::move(emit)),
      engine_(
          load_vault_content(options_.file), [] { return std::chrono::steady_clock::now(); },
          [this](const std::string& secret) { issued(secret); }),
      server_(io, [this](const CallRequest& call) { return answer(call); }),
      standby_(io, [this](const CallRequest& call) { return redirect(call); }),
      listening_since_(std::chrono::steady_clock::now()) {
  if (options_.issued_file.empty()) return;
  issued_file_.open(options_.issued_file, std::ios::app);
  if (!issued_file_) throw std::runtime_error("cannot write " + options_.issued_file);
}

void StandInVault::listen() {
  listening_since_ = std::chrono::steady_clock::now();
  port_ = server_.listen(port_);
  if (options_.standby) standby_port_ = standby_.listen(standby_port_);
}

std::string StandInVault::address() const {
  return "http://127.0.0.1:" + std::to_string(options_.standby ? standby_port_ : port_);
}

void StandInVault::go_down() {
  server_.close_listeners();
  standby_.close_listeners();
  server_.drop_connections();
  standby_.drop_connections();
  emit_("vault_down", {});
}

void StandInVault::come_back() {
  server_.listen(port_);
  if (options_.standby) standby_.listen(standby_port_);
  emit_("vault_up", {});
}

void StandInVault::revoke_all() {
  engine_.revoke_all();
  emit_("vault_revoked", {});
}

void StandInVault::close() {
  json::object summary = engine_.summary();
  summary["requests"] = requests_;
  emit_("vault_end", std::move(summary));
  server_.close_listeners();
  standby_.close_listeners();
  server_.drop_connections();
  standby_.drop_connections();
}

void StandInVault::issued(const std::string& secret) {
  if (issued_file_.is_open()) issued_file_ << secret << std::endl;
}

HttpAnswer StandInVault::answer(const CallRequest& call) {
  const auto request = vault_request(call);
  if (!request) {
    HttpAnswer none = vault_errors(404, {});
    tell(call, none, {}, false);
    return none;
  }
  VaultFault* fault = fault_for(request->path);
  // A request whose answer gets lost is carried out.
  const bool carried_out = fault == nullptr || fault->what == VaultFault::What::Drip ||
                           fault->what == VaultFault::What::Truncate;
  VaultEngine::Reply reply;
  if (carried_out) reply = engine_.answer(*request);
  if (fault != nullptr) reply.answer = faulty(*fault, std::move(reply.answer));
  tell(call, reply.answer, std::move(reply.details), fault != nullptr);
  return reply.answer;
}

HttpAnswer StandInVault::redirect(const CallRequest& call) {
  HttpAnswer answer;
  answer.status = 307;
  answer.reason = "Temporary Redirect";
  answer.headers = {{"Location", "http://127.0.0.1:" + std::to_string(port_) + call.target}};
  tell(call, answer, {}, false);
  return answer;
}

VaultFault* StandInVault::fault_for(const std::string& path) {
  const auto now = std::chrono::steady_clock::now() - listening_since_;
  for (auto& fault : options_.faults) {
    if (!path.starts_with(fault.path) || fault.times == 0) continue;
    if (now < fault.from || (fault.until && now >= *fault.until)) continue;
    if (fault.times > 0) --fault.times;
    return &fault;
  }
  return nullptr;
}

HttpAnswer StandInVault::faulty(const VaultFault& fault, HttpAnswer answer) const {
  switch (fault.what) {
    case VaultFault::What::Status:
      return status_answer(fault);
    case VaultFault::What::Sealed:
      return vault_errors(503, {"Vault is sealed"});
    case VaultFault::What::Html:
      return html_answer();
    case VaultFault::What::Hang:
      answer.silent = true;
      return answer;
    case VaultFault::What::Truncate:
      answer.cut = true;
      return answer;
    case VaultFault::What::Drip:
      return dripping(std::move(answer), kDripPause);
  }
  return answer;
}

void StandInVault::tell(const CallRequest& call, const HttpAnswer& answer, json::object details,
                        bool fault) {
  const auto header = [&call](const char* name) -> json::value {
    const auto found = call.headers.find(name);
    return found == call.headers.end() ? json::value() : json::value(found->second);
  };
  json::object line{{"n", ++requests_},
                    {"call", call.method + " " + call.target},
                    {"status", answer.silent ? json::value() : json::value(answer.status)},
                    {"fault", fault},
                    {"namespace", header("x-vault-namespace")},
                    {"request_header", header("x-vault-request")}};
  for (auto& member : details) line[member.key()] = std::move(member.value());
  emit_("vault_request", std::move(line));
}

}  // namespace mini_agent
