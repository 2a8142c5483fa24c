// The options of the stand-ins: --sidecar... and --vault...
#include <utility>

#include "option_table.hpp"

namespace mini_agent {
namespace {

using Text = const std::string&;

// Each of these also switches its stand-in on.
Setter sidecar(std::function<void(SidecarOptions&, Text)> set) {
  return [set = std::move(set)](Options& o, Text value) {
    o.sidecar.on = true;
    set(o.sidecar, value);
  };
}

Setter vault(std::function<void(VaultOptions&, Text)> set) {
  return [set = std::move(set)](Options& o, Text value) { set(o.vault, value); };
}

std::vector<int> statuses(Text text) {
  std::vector<int> result;
  for (const auto& part : split_at_commas(text)) {
    result.push_back(static_cast<int>(number(part, 0, 99)));
  }
  return result;
}

VaultFault named_fault(Text name) {
  using What = VaultFault::What;
  VaultFault fault;
  for (const auto& [word, what] :
       {std::pair{"sealed", What::Sealed}, std::pair{"hang", What::Hang},
        std::pair{"drip", What::Drip}, std::pair{"truncate", What::Truncate},
        std::pair{"html", What::Html}}) {
    if (name != word) continue;
    fault.what = what;
    return fault;
  }
  fault.status = static_cast<unsigned>(number(name, 400, 599));
  return fault;
}

VaultFault fault(Text text) {
  const auto parts = split_at_commas(text);
  VaultFault result = named_fault(parts.front());
  for (std::size_t i = 1; i < parts.size(); ++i) {
    const auto equals = parts[i].find('=');
    const std::string name = parts[i].substr(0, equals);
    const std::string value = equals == std::string::npos ? "" : parts[i].substr(equals + 1);
    if (name == "path") {
      result.path = value;
    } else if (name == "times") {
      result.times = number(value, 1, 1000000);
    } else if (name == "from") {
      result.from = duration(value);
    } else if (name == "until") {
      result.until = duration(value);
    } else if (name == "retry-after") {
      result.retry_after = number(value, 0, 3600);
    } else {
      bad(parts[i], "path=PREFIX, times=N, from=TIME, until=TIME or retry-after=SECONDS");
    }
  }
  return result;
}

}  // namespace

std::vector<Option> sidecar_options() {
  using S = SidecarOptions;
  return {
      {"--sidecar", "", "a Sidecar that sees this host's containers; EXECUTOR_SIDECAR_URL is set",
       sidecar([](S&, Text) {})},
      {"--sidecar-status", "N[,N...]", "status of its services: 0 ALIVE .. 4 DRAINING, one a poll",
       sidecar([](S& s, Text v) { s.statuses = statuses(v); })},
      {"--sidecar-status-after", "TIME", "ALIVE until so long after the first TASK_RUNNING",
       sidecar([](S& s, Text v) { s.bad_after = duration(v); })},
      {"--sidecar-unhealthy-after", "TIME", "the same with status 2", sidecar([](S& s, Text v) {
         s.statuses = {2};
         s.bad_after = duration(v);
       })},
      {"--sidecar-hang", "", "it takes requests and answers none",
       sidecar([](S& s, Text) { s.hang = true; })},
      {"--sidecar-fail", "", "it answers 500 to everything",
       sidecar([](S& s, Text) { s.fail = true; })},
      {"--sidecar-truncate", "", "its state ends in the middle",
       sidecar([](S& s, Text) { s.truncate = true; })},
      {"--sidecar-drip", "", "its state comes byte by byte",
       sidecar([](S& s, Text) { s.drip = true; })},
      {"--sidecar-html", "", "a proxy's page in place of its state",
       sidecar([](S& s, Text) { s.html = true; })},
      {"--sidecar-drain-status", "N", "it answers N to a request to drain",
       sidecar([](S& s, Text v) { s.drain_status = static_cast<unsigned>(number(v, 200, 599)); })},
      {"--sidecar-host", "NAME", "its name for this host (TASK_HOST or the agent's)",
       sidecar([](S& s, Text v) { s.host = v; })},
      {"--sidecar-pad", "MB", "other hosts of so many MB before this one",
       sidecar([](S& s, Text v) { s.pad_mb = number(v, 0, 1024); })},
      {"--sidecar-down-after", "TIME", "it is gone so long after the first TASK_RUNNING",
       sidecar([](S& s, Text v) { s.down_after = duration(v); })}};
}

std::vector<Option> vault_options() {
  using V = VaultOptions;
  return {{"--vault", "FILE", "a Vault that holds what FILE says; VAULT_ADDR is set (README.md)",
           vault([](V& v, Text t) {
             v.on = true;
             v.file = t;
           })},
          {"--vault-issued", "FILE", "write each token and key that it gives out into this file",
           vault([](V& v, Text t) { v.issued_file = t; })},
          {"--vault-fault", "WHAT[,...]",
           "what: 400..599, sealed, hang, drip, truncate, html. More: path=PREFIX, times=N,\n"
           "                                  from=TIME, until=TIME, retry-after=SECONDS. May be "
           "repeated",
           vault([](V& v, Text t) { v.faults.push_back(fault(t)); })},
          {"--vault-standby", "", "VAULT_ADDR is a standby that answers 307 with the active node",
           vault([](V& v, Text) { v.standby = true; })},
          {"--vault-down-from", "TIME", "connections are refused so long after it listens",
           vault([](V& v, Text t) { v.down_from = duration(t); })},
          {"--vault-down-until", "TIME", "until so long after it listens (for ever)",
           vault([](V& v, Text t) { v.down_until = duration(t); })},
          {"--vault-revoke-after", "TIME", "every token is revoked so long after it listens",
           vault([](V& v, Text t) { v.revoke_after = duration(t); })}};
}

}  // namespace mini_agent
