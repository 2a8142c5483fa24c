#include "base/text.hpp"
#include "docker/parameter_table.hpp"

namespace sidecar_executor::docker {
namespace {

constexpr std::string_view introduction =
    R"(<!-- Generated from the table in src/docker/parameter_table.cpp; do not edit. -->
<!-- sidecar-executor docs parameters > docs/parameters.md -->

# Docker parameters

`container.docker.parameters` of a task (Singularity: `dockerParameters`; Marathon:
`container.docker.parameters`) are flags of `docker run`. These are honoured, with the syntax that
`docker run` has for them.

)";

constexpr std::string_view rules = R"(
## Rules

- A leading `--` in the key is accepted. Keys are otherwise exact.
- Flags that are lists are repeated: one parameter an element. Of the others the last one counts.
- **Switches** (without an example): an empty value or `true` is on, `false` is off.
- **Sizes**: bytes, or with k, m, g, t, p behind it (`512m`, `1.5g`, `64MiB`), powers of 1024.
- **Times** are Go durations (`30s`, `1m30s`).
- **Files** (`env-file`, `label-file`, a seccomp profile) are read from the agent's host when the task is
  launched: absolute paths, at most 1 MiB.
- An unknown flag, or a value that cannot be read, is a warning in the log and in the message of
  TASK_RUNNING, and the rest of the task runs. With `EXECUTOR_STRICT_PARAMETERS=true` it is TASK_ERROR.
  Neither shows the value: it may be a secret.
- A flag that is newer than the host's Docker (`Docker API 1.43` in the table) would be ignored by it in
  silence: that is a warning, too, or TASK_FAILED with `EXECUTOR_STRICT_PARAMETERS=true`. The executor
  speaks at most API 1.45, with a newer Docker too. Fields that need an API of their own: of `mount`
  `bind-recursive=readonly` and `writable` (1.44), `volume-subpath` (1.45) and `type=image` (1.48); of
  `network` `gw-priority` (1.48), and `mac-address` of any but the first network (1.44).
- Where a field of the task, or a limit that a setting forces, asks for something else than a parameter
  does, the field or the limit wins, and that is a warning. Mesos writes `"network":"HOST"` and
  `"privileged":false` into tasks that say nothing: those two are set by their fields, not by
  `network` and `privileged`.
- A volume that is asked for twice is one. One of `container.volumes` wins over a `volume`, `mount` or
  `tmpfs` at the same path in the container: Docker refuses both together.
- `ip`, `ip6` and `network-alias` need a network of one's own (`docker network create`): Docker refuses
  them in its default networks, so there they are a warning (or TASK_ERROR).
- Not a parameter: `detach`, `interactive`, `attach`, `cidfile`, `pull` and other flags that concern the
  `docker` command and not the container.
)";

}  // namespace

std::string parameters_markdown() {
  std::string out(introduction);
  out += "| Parameter | Example | Sets | Meaning |\n|---|---|---|---|\n";
  const auto code = [](std::string_view text) {
    std::string cell;
    for (const char c : text) cell += c == '|' ? std::string("\\|") : std::string(1, c);
    return cell.empty() ? std::string() : "`" + cell + "`";
  };
  for (const auto& flag : parameter_flags()) {
    out += "| " + code(flag.name);
    for (const auto& alias : split_blanks(flag.aliases)) out += ", " + code(alias);
    const bool ignored = flag.target.empty() && flag.name != "restart";
    out += " | " + code(flag.syntax) + " | " +
           code(flag.target == "Healthcheck.None" ? "Healthcheck.Test" : flag.target) + " | ";
    out += (ignored ? "Ignored: " : "") + std::string(flag.doc);
    if (flag.since > 0) out += " Docker API 1." + std::to_string(flag.since) + ".";
    out += " |\n";
  }
  out += rules;
  return out;
}

}  // namespace sidecar_executor::docker
