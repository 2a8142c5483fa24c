#pragma once
// The executor's side of the v1 executor API over HTTP: subscription, events, updates kept until
// they are acknowledged. Facts: ../shared/spec/mesos.md.

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/log.hpp"
#include "base/settings.hpp"
#include "base/timeouts.hpp"
#include "mesos/messages.hpp"
#include "mesos/update_stream.hpp"
#include "net/http_client.hpp"

namespace sidecar_executor::mesos {

/// What the agent told its executor in MESOS_* variables.
struct AgentEnvironment {
  net::Address agent;
  std::string path = "/api/v1/executor";
  Identity identity;
  std::string sandbox;
  std::string agent_id;
  bool checkpoint = false;
  std::chrono::nanoseconds recovery_timeout{0};  ///< 0 = none given
  std::chrono::nanoseconds subscription_backoff_max = std::chrono::seconds(2);
  std::chrono::nanoseconds shutdown_grace = std::chrono::seconds(5);
  std::string authentication_token;
  // Not from the environment; tests make them shorter.
  /// Of HEARTBEAT events. No event for two of them and `heartbeat_margin`: a silent connection.
  std::chrono::nanoseconds heartbeat_interval = timeouts::heartbeat_interval;
  std::chrono::nanoseconds heartbeat_margin = std::chrono::minutes(1);
  /// 202 without ACKNOWLEDGED: sent again after this long.
  std::chrono::nanoseconds resend_after = UpdateStream::resend_after;
  std::chrono::nanoseconds call_limit = timeouts::agent_call;  ///< of SUBSCRIBE's head
  /// Of UPDATE; twice as long after each that got no answer, up to the longest.
  std::chrono::nanoseconds update_limit = timeouts::agent_update;
  std::chrono::nanoseconds longest_update_limit = timeouts::agent_update_longest;
};

struct LoadedAgentEnvironment {
  AgentEnvironment environment;
  std::vector<std::string>
      problems;            ///< each names its variable; those that allow no session first
  bool reachable = false;  ///< enough is known to subscribe
};
LoadedAgentEnvironment load_agent_environment(const Lookup& lookup);

class AgentSession {
 public:
  struct Handlers {
    std::function<void(const Event&)> on_event;
    /// An agent that answers UPDATE with 503, or not at all, counts as away, for as long as one
    /// that is gone.
    std::function<void(bool connected)> on_connection;
    std::function<void()> on_all_acknowledged;
    /// Will not come back; said once.
    std::function<void(std::string why)> on_lost;
  };

  AgentSession(asio::any_io_executor executor, const AgentEnvironment& environment, Log& log,
               Handlers handlers);
  ~AgentSession();
  AgentSession(const AgentSession&) = delete;
  AgentSession& operator=(const AgentSession&) = delete;

  /// Runs until close(). Spawned once by the owner, who joins it before destroying the session.
  asio::awaitable<void> run();

  /// Queues an update; it is sent in order and again until it is acknowledged.
  void report(const StatusUpdate& update);
  /// A task came: it goes with every SUBSCRIBE until its first update is acknowledged.
  void task_launched(const std::string& task_id, const std::string& task_json);
  void close();
  [[nodiscard]] bool connected() const { return connected_; }
  [[nodiscard]] std::size_t unacknowledged() const { return stream_.size(); }

 private:
  enum class Ended { again, lost, closed };
  asio::awaitable<void> keep_subscribed();
  asio::awaitable<Ended> subscribe_once();
  asio::awaitable<Ended> read_events(net::HttpConnection& connection);
  asio::awaitable<void> send_updates();
  asio::awaitable<void> send(const UpdateStream::ToSend& update);
  void judge(const Result<net::HttpResponse>& answer);
  void not_taken(const UpdateStream::ToSend& update, const Result<net::HttpResponse>& answer);
  void handle(Event&& event);
  void set_connected(bool connected);
  void set_taking_updates(bool taking);
  void lose(std::string why);
  [[nodiscard]] net::HttpRequest request(std::string body) const;
  [[nodiscard]] std::chrono::nanoseconds patience() const;
  [[nodiscard]] std::chrono::nanoseconds update_limit() const;
  std::chrono::nanoseconds next_backoff();
  std::string new_uuid();

  asio::any_io_executor executor_;
  AgentEnvironment environment_;
  Log& log_;
  Handlers handlers_;
  net::Cancellation closed_;
  net::Cancellation* stream_cancel_ = nullptr;  // of the subscription that is open
  net::Cancellation* call_cancel_ = nullptr;    // of the UPDATE in flight
  net::Signal wake_sender_;
  UpdateStream stream_;
  std::mt19937_64 random_;
  bool connected_ = false;
  bool was_connected_ = false;
  bool told_away_ = false;  // while it takes no UPDATE
  bool lost_ = false;
  int attempt_ = 0;
  int sender_failures_ = 0;
  int unanswered_ = 0;               // UPDATEs one after the other
  std::string last_refusal_;         // of SUBSCRIBE, as logged
  std::string last_update_problem_;  // as logged
  std::chrono::steady_clock::time_point away_since_;
  std::chrono::steady_clock::time_point connected_since_;
  std::optional<std::chrono::steady_clock::time_point> not_taking_since_;
};

}  // namespace sidecar_executor::mesos
