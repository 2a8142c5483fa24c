#pragma once
// Pure: which status update is sent when. Strictly in order, one UPDATE in flight, the next only
// after the 202; every update is kept until it is acknowledged; nothing after a terminal one.
// Facts: mesos.md "Calls" and "Connection lost".

#include <chrono>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mesos/messages.hpp"

namespace sidecar_executor::mesos {

class UpdateStream {
 public:
  using Clock = std::chrono::steady_clock;
  /// 202 without ACKNOWLEDGED: sent again after this long.
  static constexpr std::chrono::seconds resend_after{5};
  explicit UpdateStream(Clock::duration resend = resend_after) : resend_(resend) {}

  struct ToSend {
    std::string uuid;    ///< base64
    std::string status;  ///< the status object, JSON
  };

  /// A task came: it stays in unacknowledged_tasks() until its first update is acknowledged.
  void launched(std::string task_id, std::string task_json);

  /// Queues an update. False (and nothing queued) when the task already had its terminal update.
  bool add(std::string task_id, TaskState state, std::string uuid, std::string status_json);

  /// What to send now, when connected and subscribed: the oldest that waits, if nothing is in
  /// flight. Marks it as in flight.
  std::optional<ToSend> next(Clock::time_point now);

  /// The answer to the UPDATE in flight: accepted (202) or to be tried again at `retry_at`.
  void answered(std::string_view uuid, bool accepted, Clock::time_point now,
                Clock::time_point retry_at = {});

  /// The UPDATE in flight was refused for what it says: the same with less in it goes next, once.
  /// False (and nothing changed) when it is the smaller one already.
  bool refused_once(std::string_view uuid, std::string smaller_status);
  /// Refused again: tried again at `retry_at`. It holds up nothing any more: later updates go
  /// first, and one of the same task takes its place.
  void refused_again(std::string_view uuid, Clock::time_point retry_at);

  /// ACKNOWLEDGED. The state of the acknowledged update; nullopt when it is not ours (or known
  /// twice). A terminal one takes with it what the task still had before: sent again it would come
  /// after the end, and a scheduler ran a task twice because of that (transcript 08b).
  std::optional<TaskState> acknowledged(std::string_view task_id, std::string_view uuid);

  /// The connection is gone: nothing is in flight; all unacknowledged ones go with SUBSCRIBE, and
  /// are sent again as UPDATE afterwards if no acknowledgement comes.
  void disconnected();
  /// For the next SUBSCRIBE: the status objects that no acknowledgement came for, in order.
  /// Remembered as what it carries: one that is added before its answer comes is not among them.
  std::vector<std::string> unacknowledged_statuses();
  /// SUBSCRIBE was answered: what it carried counts as sent at `now`.
  void resubscribed(Clock::time_point now);

  /// When next() may have something that it has not now; nullopt = nothing waits.
  [[nodiscard]] std::optional<Clock::time_point> next_due() const;

  [[nodiscard]] std::vector<std::string> unacknowledged_tasks() const;
  [[nodiscard]] bool all_acknowledged() const { return updates_.empty(); }
  [[nodiscard]] bool in_flight() const { return in_flight_.has_value(); }
  [[nodiscard]] std::size_t size() const { return updates_.size(); }

 private:
  struct Pending {
    std::string task_id;
    TaskState state;
    std::string uuid;
    std::string status;
    bool sent = false;        ///< accepted on this connection
    bool carried = false;     ///< by the latest SUBSCRIBE
    bool smaller = false;     ///< refused once, holds less now
    bool refused = false;     ///< refused again
    Clock::time_point due{};  ///< not before
  };
  using Updates = std::deque<Pending>;
  Updates::iterator find(std::string_view uuid);
  [[nodiscard]] bool superseded(const Pending& update) const;
  void give_up_replaced();

  Clock::duration resend_;
  Updates updates_;
  std::optional<std::string> in_flight_;  ///< uuid
  std::map<std::string, std::string> tasks_;
  std::vector<std::string> ended_;  ///< task ids that had their terminal update
};

}  // namespace sidecar_executor::mesos
