// What LeakSanitizer must not say.

/// glibc's resolver keeps an address for each thread and frees it as the last thing of that thread,
/// when LeakSanitizer no longer looks at it: a process that ends in that moment, after a look-up
/// that nobody waited for, would be told as one that leaks. The name is the sanitizer's.
// NOLINTNEXTLINE(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp)
extern "C" const char* __lsan_default_suppressions() { return "leak:__res_context_send\n"; }
