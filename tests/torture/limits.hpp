#pragma once
// Limits on the executor itself, set before it begins.

#include <cstdint>
#include <string>

#include "torture/scenario.hpp"

namespace sx_torture {

/// A mount name space of this process's own: what is mounted here is seen, and left, nowhere else.
/// Call before any thread is started. False: not root.
bool own_mounts();
/// `pull`: SX_REGISTRY is set.
Means means_of_this_machine(bool mounts);

/// One task's limit; taken away in the end.
class Limits {
 public:
  /// `folder` exists.
  Limits(Limit limit, std::uint64_t seed, const std::string& folder);
  ~Limits();
  Limits(const Limits&) = delete;
  Limits& operator=(const Limits&) = delete;

  /// Where the sandbox is to be made.
  [[nodiscard]] const std::string& sandbox() const { return sandbox_; }
  /// For mini-agent's --wrapper; empty when there is nothing to set.
  [[nodiscard]] const std::string& wrapper() const { return wrapper_; }

 private:
  std::string sandbox_;
  std::string wrapper_;
  std::string disk_;
  std::string group_;
};

}  // namespace sx_torture
