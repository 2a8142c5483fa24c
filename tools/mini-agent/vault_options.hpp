// What the stand-in Vault is told on the command line.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "durations.hpp"

namespace mini_agent {

struct VaultFault {
  enum class What { Status, Sealed, Hang, Drip, Truncate, Html };
  What what = What::Status;
  unsigned status = 500;  // with Status
  long retry_after = 1;   // seconds, told with 429
  std::string path;       // of requests whose path below /v1/ begins so
  long times = -1;        // -1: without end
  Nanoseconds from{0};    // since the Vault listens
  std::optional<Nanoseconds> until;
};

struct VaultOptions {
  bool on = false;
  std::string file;         // what it holds, see vault_content.hpp
  std::string issued_file;  // every token and key that it gives out, one a line
  bool standby = false;     // VAULT_ADDR is a node that redirects to the active one
  std::vector<VaultFault> faults;
  std::optional<Nanoseconds> down_from, down_until, revoke_after;  // since it listens
};

}  // namespace mini_agent
