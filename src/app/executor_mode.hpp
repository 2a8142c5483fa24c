#pragma once
// Executor mode: what the agent starts.

namespace sidecar_executor::app {

/// Reads settings and environment, runs one task, returns the exit code (behaviour.md 2).
int run_executor();

}  // namespace sidecar_executor::app
