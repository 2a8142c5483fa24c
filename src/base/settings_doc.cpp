#include <string>
#include <string_view>

#include "base/settings.hpp"
#include "base/settings_table.hpp"

namespace sidecar_executor {
namespace {

constexpr std::string_view introduction =
    R"(<!-- Generated from the table in src/base/settings_table.cpp; do not edit. -->
<!-- sidecar-executor docs configuration > docs/configuration.md -->

# Configuration

The executor is configured by environment variables, which a task sets for its executor (with
Singularity: the deploy's `env`). They are read once, at start. The log begins with the value of
every setting and says which ones are not the default.

)";

constexpr std::string_view rules = R"(
## Rules

- **Times** are Go durations: numbers with a unit, one behind the other: `300ms`, `1.5h`, `1m40s`.
  Units: ns, us, ms, s, m, h. A bare `0` is allowed, any other number needs its unit. The one
  exception is KillTaskTimeout: whole seconds without a unit, 0 or more. Any other time below 0
  counts as 0, and more than 100 years count as 100 years.
- **Booleans**: `1 t T TRUE true True` and `0 f F FALSE false False`.
- **Numbers** may be written in other bases, as in Go: `0x1f`, `0b11`, `017` (octal), `1_000`.
- **Lists** are split at commas. Blanks are part of the element.
- **Empty**: a variable that is set but empty means its default.
- **Bare names**: when `EXECUTOR_X` is not set, `X` is used (for example `LOG_HOSTNAME`). This is
  there for tasks written for the Go executor and holds for the settings that it had; those marked
  with \* have no bare name. A bad value under a bare name is ignored with a warning: a task's own
  `DEBUG=app:*` is none of our business.
- **Errors**: a bad value of an `EXECUTOR_` variable fails the task with TASK_FAILED, and the
  message names the variable, its value and the form that it should have. When the agent cannot be
  reached, the same text goes to stderr and the exit code is 78.
- **Unknown** `EXECUTOR_` variables are tolerated; one line of the log lists them.
- An AWSRoleTTL longer than AWSRoleMaxTTL is an error.

## Other variables that the executor reads

| Variable | Meaning |
|---|---|
| `MESOS_AGENT_ENDPOINT`, `MESOS_FRAMEWORK_ID`, `MESOS_EXECUTOR_ID` | Set by the agent; without them there is nothing to subscribe to. |
| `MESOS_SLAVE_ID`, `MESOS_SLAVE_PID`, `MESOS_SANDBOX`, `MESOS_DIRECTORY` | Set by the agent: its id, and where the sandbox is. |
| `MESOS_CHECKPOINT`, `MESOS_RECOVERY_TIMEOUT`, `MESOS_SUBSCRIPTION_BACKOFF_MAX` | Set by the agent: whether, how long and how often a lost agent is waited for. |
| `MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD` | Set by the agent: how long stopping may take after SHUTDOWN. |
| `MESOS_EXECUTOR_AUTHENTICATION_TOKEN`, `MESOS_DOMAIN_SOCKET` | Set by the agent when it wants a token or a local socket. |
| `LIBPROCESS_SSL_ENABLED` | `1`, `t` or `true`: https to the agent. It and the next row come from the agent's `--executor_environment_variables` or from the task: the agent hands nothing on of its own. |
| `LIBPROCESS_SSL_CA_FILE`, `LIBPROCESS_SSL_CA_DIR`, `LIBPROCESS_SSL_CERT_FILE`, `LIBPROCESS_SSL_KEY_FILE`, `LIBPROCESS_SSL_VERIFY_SERVER_CERT`, `LIBPROCESS_SSL_VERIFY_CERT`, `LIBPROCESS_SSL_REQUIRE_CERT` | The authorities, our own certificate with its key, and whether the agent's certificate is verified: with VERIFY_SERVER_CERT (VERIFY_CERT, its older name, when that is not set) or REQUIRE_CERT. By default it is not, as in Mesos. |
| `DOCKER_HOST` | The daemon: `unix:///var/run/docker.sock` (default), `tcp://host:port`, `http://`, `https://`. |
| `DOCKER_TLS_VERIFY`, `DOCKER_CERT_PATH` | TLS to the daemon; `ca.pem`, `cert.pem` and `key.pem` in that folder (default `~/.docker`). |
| `DOCKER_API_VERSION` | Overrides the version that is agreed on with the daemon. |
| `DOCKER_CONFIG`, `HOME` | Where the Docker configuration file with registry credentials is looked for. |
| `VAULT_ADDR`, `VAULT_AGENT_ADDR`, `VAULT_NAMESPACE` | The Vault server (default `https://127.0.0.1:8200`). |
| `VAULT_CACERT`, `VAULT_CACERT_BYTES`, `VAULT_CAPATH`, `VAULT_CLIENT_CERT`, `VAULT_CLIENT_KEY`, `VAULT_SKIP_VERIFY`, `VAULT_TLS_SERVER_NAME` | TLS to Vault. |
| `VAULT_CLIENT_TIMEOUT`, `VAULT_MAX_RETRIES` | Limits of one Vault request (default `60s` and 2 retries). |
| `VAULT_HTTP_PROXY`, `VAULT_PROXY_ADDR`, `HTTPS_PROXY`, `NO_PROXY` | A proxy on the way to Vault. |
| `VAULT_TOKEN` | The token to use. Never logged. |
| `VAULT_TOKEN_FILE`, `VAULT_TTL` | Where a token got by login is kept for the next executors, and its life in seconds (default 86400). |
| `VAULT_USERNAME`, `VAULT_PASSWORD` | Login by userpass. Never logged. |
| `VAULT_AUTH_METHOD`, `VAULT_AUTH_MOUNT`, `VAULT_ROLE_ID`, `VAULT_SECRET_ID` | Login by approle or by client certificate. |
| `TASK_HOST` | The host name under which Sidecar knows this host (Singularity sets it). Default: the agent's host name. |

Vault is contacted only when a task needs it: a value that begins with `vault://`, or AWSRole.
)";

void append_row(std::string& out, const SettingRow& row) {
  out += "| ";
  out += row.name;
  out += row.inherited ? " | `" : "* | `";
  out += setting_variable(row.name);
  out += "` | ";
  if (!row.initial.empty()) {
    out += '`';
    out += row.initial;
    out += '`';
  }
  out += " | ";
  out += row.meaning;
  out += " |\n";
}

}  // namespace

std::string settings_markdown() {
  std::string out(introduction);
  out += "| Setting | Variable | Default | Meaning |\n|---|---|---|---|\n";
  for (const SettingRow& row : setting_table()) append_row(out, row);
  out += "\n\\* not known to the Go executor.\n";
  out += rules;
  return out;
}

}  // namespace sidecar_executor
