#pragma once
// Sidecar's state document as big as one likes.

#include <cstddef>
#include <string>

namespace sx_bench {

inline constexpr const char* kOurHost = "our-host.example.com";
inline constexpr const char* kOurService = "0123456789ab";
inline constexpr int kOurStatus = 2;

/// Hosts with 100 services of about 350 bytes each, ours last; at least `bytes`.
std::string state_document(std::size_t bytes);

}  // namespace sx_bench
