#pragma once
// Pure: what Sidecar said about our service → what is known of its health (behaviour.md 5).

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace sidecar_executor::sidecar {

/// Sidecar's Status numbers.
enum class Status : std::int64_t {
  alive = 0,
  tombstone = 1,
  unhealthy = 2,
  unknown = 3,
  draining = 4
};
std::string_view to_string(Status status);  ///< `ALIVE`; a number we do not know: `UNKNOWN`

/// One poll: a status, or why there is none.
struct NoAnswer {
  std::string why;
};
using Observation = std::variant<Status, NoAnswer>;

/// Counts affirmed failures. Only they count; no answer changes nothing.
class HealthJudge {
 public:
  /// `max_fails` consecutive affirmed failures are the limit; 0 counts as 1.
  explicit HealthJudge(std::int64_t max_fails) : max_fails_(max_fails < 1 ? 1 : max_fails) {}

  struct Verdict {
    std::optional<bool> changed;  ///< the known health is another than before
    bool limit_reached = false;   ///< from now on the container has to be stopped
    std::string limit_message;    ///< behaviour.md 5, set with limit_reached
    std::optional<std::string>
        trouble;  ///< Sidecar cannot tell, said once a change; empty: it can again
  };
  Verdict observe(const Observation& seen);

  [[nodiscard]] std::optional<bool> known() const { return known_; }
  [[nodiscard]] std::int64_t fails() const { return fails_; }

 private:
  std::int64_t max_fails_;
  std::int64_t fails_ = 0;
  std::optional<bool> known_;
  std::string trouble_;
};

}  // namespace sidecar_executor::sidecar
