#pragma once
// Executor mode: what the agent starts.

namespace sidecar_executor::app {

/// Reads settings and environment, runs one task, returns the exit code (behaviour.md 2).
int run_executor();

/// No core dump and no ptrace by others: resolved secrets live in this process's memory.
void protect_memory();

}  // namespace sidecar_executor::app
