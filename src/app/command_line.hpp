#pragma once
// No argument = executor mode; otherwise a subcommand.

namespace sidecar_executor::app {

/// Returns the process's exit code.
int run(int argc, char** argv);

}  // namespace sidecar_executor::app
