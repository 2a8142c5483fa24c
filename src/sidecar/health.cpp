#include "sidecar/health.hpp"

namespace sidecar_executor::sidecar {

std::string_view to_string(Status status) {
  switch (status) {
    case Status::alive:
      return "ALIVE";
    case Status::tombstone:
      return "TOMBSTONE";
    case Status::unhealthy:
      return "UNHEALTHY";
    case Status::draining:
      return "DRAINING";
    case Status::unknown:
      break;
  }
  return "UNKNOWN";
}

HealthJudge::Verdict HealthJudge::observe(const Observation& seen) {
  Verdict verdict;
  const auto* nothing = std::get_if<NoAnswer>(&seen);
  const std::string trouble = nothing != nullptr ? nothing->why : std::string();
  if (trouble != trouble_) verdict.trouble = trouble;
  trouble_ = trouble;
  if (nothing != nullptr) return verdict;

  const Status status = std::get<Status>(seen);
  const bool failed = status == Status::unhealthy || status == Status::tombstone;
  fails_ = failed ? fails_ + 1 : 0;
  // UNKNOWN and DRAINING are no failure and no news about health either.
  if (failed || status == Status::alive) {
    const bool healthy = !failed;
    if (known_ != healthy) verdict.changed = healthy;
    known_ = healthy;
  }
  if (fails_ >= max_fails_) {
    verdict.limit_reached = true;
    verdict.limit_message = "unhealthy in Sidecar: " + std::to_string(fails_) +
                            " consecutive failed check" + (fails_ == 1 ? "" : "s") +
                            " (last status " + std::string(to_string(status)) + ")";
  }
  return verdict;
}

}  // namespace sidecar_executor::sidecar
