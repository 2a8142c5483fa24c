#pragma once
// Under AddressSanitizer freed memory stays in quarantine and everything is slower: what a test
// says about memory is true only without it, and long tests run shorter.

namespace sidecar_executor::test {

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SX_SANITIZED 1
#endif
#endif
#if defined(SX_SANITIZED) || defined(__SANITIZE_ADDRESS__)
constexpr bool sanitized = true;
#else
constexpr bool sanitized = false;
#endif

}  // namespace sidecar_executor::test
