#include "torture/oracle.hpp"

namespace sx_torture {
namespace {

/// 128 + a crash signal is a failure, 128 + any other signal a kill.
std::string state_of_exit(int code) {
  if (code == 0) return "TASK_FINISHED";
  return code == 137 || code == 143 ? "TASK_KILLED" : "TASK_FAILED";
}

/// A wrong answer to a call of the launch may end it. One to any later call must not.
bool spoils_the_launch(const Fault& fault) {
  const bool wrong = fault.harm == Harm::docker_500 || fault.harm == Harm::docker_garbage;
  return wrong && fault.at < Moment::inspect_asked;
}

/// If nobody asked for a stop.
std::set<std::string> own_ends(const Scenario& s) {
  if (s.vault == VaultGives::no_secrets || s.work == Work::bad_command) return {"TASK_FAILED"};
  if (runs_for_ever(s)) return {};
  if (s.work == Work::out_of_memory && s.exit_code != 0) return {"TASK_FAILED"};
  return {state_of_exit(s.exit_code)};
}

/// Nothing else that was done to it makes it TASK_FAILED. With a code of the program's own Docker
/// may hear of it too late.
bool fails_for_memory_alone(const Scenario& s) {
  return s.work == Work::out_of_memory && s.exit_code == 137 && s.vault != VaultGives::no_secrets &&
         s.max_completion == 0 && s.sidecar != SidecarSays::unhealthy && !any(s, spoils_the_launch);
}

}  // namespace

Allowed allowed_ends(const Scenario& s) {
  Allowed out;
  out.exit_codes.insert(0);
  if (s.never_launched) {
    out.none = true;
    // It may be told by a signal before the agent tells it.
    for (const int code : {143, 130}) out.exit_codes.insert(code);
    return out;
  }
  out.states = own_ends(s);
  if (fails_for_memory_alone(s)) out.reason_to_fail = "REASON_CONTAINER_LIMITATION_MEMORY";
  if (any(s, spoils_the_launch)) out.states.insert("TASK_FAILED");
  if (s.killed || any(s, stops)) out.states.insert("TASK_KILLED");
  if (s.max_completion > 0 || s.sidecar == SidecarSays::unhealthy) out.states.insert("TASK_FAILED");
  for (const auto& fault : s.faults) {
    if (fault.harm == Harm::terminate) out.exit_codes.insert(143);
    if (fault.harm == Harm::interrupt) out.exit_codes.insert(130);
  }
  if (s.agent_lost) {
    out.none = true;
    out.states.insert("TASK_KILLED");
    out.exit_codes.insert(1);
  }
  return out;
}

std::chrono::seconds longest(const Scenario& s) {
  Ms sum = s.life + std::chrono::seconds(2 * s.kill_timeout + s.max_completion);
  for (const auto& fault : s.faults) sum += fault.after + fault.length;
  return std::chrono::seconds(75) + std::chrono::duration_cast<std::chrono::seconds>(sum);
}

}  // namespace sx_torture
