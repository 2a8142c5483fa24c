#pragma once
// Every deadline of the executor in one place, with its reason. Times that an operator sets are in
// settings.hpp.

#include <chrono>

namespace sidecar_executor::timeouts {

using namespace std::chrono_literals;

// Docker (docker.md "Connection").
inline constexpr auto docker_call = 10s;
/// The exit of a container waits for this answer, and can do without.
inline constexpr auto docker_events = 1s;
/// Creating unpacks layers, starting runs hooks and network set-up: slow on a busy disk.
inline constexpr auto docker_create = 120s;
inline constexpr auto docker_start = 120s;
/// On top of the grace period that Docker itself waits.
inline constexpr auto docker_stop_extra = 10s;
/// A pull may take hours, but not without a byte.
inline constexpr auto docker_pull_idle = 5min;
/// Daemon unreachable at launch: it may be restarting.
inline constexpr auto docker_at_launch = 30s;
/// Asked to stop and Docker silent for so long: reported as `may still run`.
inline constexpr auto docker_unreachable = 60s;
/// wait told the exit code; for the rest (OOM, times) a daemon that went away is asked so long. As
/// long as a start may take when it may be in the middle of somebody's `docker restart`.
inline constexpr auto exit_details = 10s;
/// inspect is silent for so long after wait told the exit: it waits for the container's lock, as
/// while Docker starts it again. Docker's events, which need no lock, are asked.
inline constexpr auto exit_silence = 1s;
/// The container's process has ended: Docker's wait is given so long to say how, before we ask.
/// A `docker restart` goes through here, and its wait comes with the right moment to inspect.
inline constexpr auto exit_wait_lead = 2s;
/// The container's process has ended and Docker does not say how: `exit code unknown`.
inline constexpr auto exit_code_unknown = 60s;
/// Between the stop and the start of a `docker restart`: the end of a container that somebody had
/// Docker signal is told so much later.
inline constexpr auto exit_may_be_a_restart = 1s;
/// Killed, and nobody is known to have done it: Docker is given so long to hear of it (OOM).
inline constexpr auto exit_late_event = 1s;
/// docker-credential-NAME: some ask a server.
inline constexpr auto credential_helper = 10s;
inline constexpr auto pull_first_retry = 100ms;
inline constexpr int pull_attempts = 5;

// Log relay (relay.md).
/// A connection whose bytes nobody acknowledges is given up then; Linux waits 15 minutes. Not
/// sooner: what the kernel holds for a collector that only stalls would be lost.
inline constexpr std::chrono::milliseconds relay_unacknowledged = 2min;
inline constexpr auto relay_connect = 5s;
inline constexpr auto relay_first_retry = 100ms;
inline constexpr auto relay_last_retry = 2s;
/// The collector's name, while datagrams to it fail.
inline constexpr auto relay_look_up_again = 5s;
/// Docker's log stream broke off: dockerd is restarting, and comes back within a second or two.
inline constexpr auto log_first_retry = 100ms;
inline constexpr auto log_last_retry = 5s;
/// The log stream has ended: so has the container, as Docker will say by then. Else read on.
inline constexpr auto log_end = 1s;
/// While lines come fast they are read many at a time, at most so far apart.
inline constexpr auto log_gather = 4ms;

// Agent (mesos.md).
inline constexpr auto agent_call = 10s;
/// An UPDATE without any answer means that the agent stalls, or that the network is dead; that has
/// to be known before last_acknowledgement ends the wait for an agent that is there.
inline constexpr auto agent_update = 5s;
/// The same UPDATE again: 15 minutes without an answer are 18 copies.
inline constexpr auto agent_update_longest = 1min;
/// All of /state or /slaves, tens of MB: the launch waits for it and goes on without.
inline constexpr auto cluster_document = 30s;
/// First SUBSCRIBE when there is no recovery time-out: an agent that started us is about to listen.
inline constexpr auto first_subscribe = 15s;
inline constexpr auto heartbeat_interval = 30min;
/// Acknowledgement of the terminal update, agent connected.
inline constexpr auto last_acknowledgement = 10s;

// Vault (vault.md).
/// Another executor of this host logs in: it has VAULT_CLIENT_TIMEOUT, 60 s, for that.
inline constexpr auto vault_token_lock = 60s;
/// Of the time for revoking; the rest is the token's, whose end is that of its leases, too.
inline constexpr auto vault_revoke_lease = 5s;
/// A SHUTDOWN's grace is 5 s by default, and the container is not there yet.
inline constexpr auto vault_after_cancel = 3s;

// The end (behaviour.md 7).
/// Log copy and relay flush together.
inline constexpr auto closing = 5s;
/// Kept free of the agent's shutdown grace for the terminal update and its acknowledgement.
inline constexpr auto shutdown_reserve = 500ms;
/// An answer of Sidecar to a drain: HttpTimeout, which may have no end, and a KILL waits for it.
inline constexpr auto drain_answer = 10s;
/// docker stop gets the agent's grace less this.
inline constexpr auto shutdown_stop_reserve = 2s;
/// Docker kills by itself at the end of the grace period; we follow this much later.
inline constexpr auto kill_after_grace = 500ms;
inline constexpr auto revoke = 10s;

}  // namespace sidecar_executor::timeouts
