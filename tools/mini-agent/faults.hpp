// What can be made to go wrong between agent and executor. All off by default.
#pragma once

#include <optional>

#include "durations.hpp"

namespace mini_agent {

struct Faults {
  // Acknowledgements.
  Nanoseconds ack_delay{0};
  long drop_acks = 0;  // the first so many are not sent
  bool duplicate_acks = false;

  // The event stream.
  long cut_record = 0;  // disconnect in the middle of the Nth event record (1 = SUBSCRIBED)
  bool drip = false;    // one byte a chunk and a write
  Nanoseconds drip_pause{std::chrono::microseconds(200)};
  bool merge_records = false;  // several records in one chunk and one write

  // Done once, when an update of the state `at` has been acknowledged.
  std::string at = "TASK_RUNNING";
  bool garbage_record = false;    // well framed, not JSON
  bool garbage_length = false;    // the frame's length is no number
  bool oversized_record = false;  // 64 MiB and one byte
  bool silent = false;            // connections stay open, nothing is answered, no heartbeats
  bool disconnect = false;        // the event stream is closed
  Nanoseconds silent_for{0};      // 0 = for ever

  // The agent itself.
  std::optional<Nanoseconds> disconnect_every;
  Nanoseconds refuse{0};      // after each end of the event stream, connections are refused so long
  Nanoseconds answer_503{0};  // after each (re)start everything is answered 503 so long
  std::optional<Nanoseconds> restart_after;
  Nanoseconds down{std::chrono::milliseconds(500)};
  // From a restart on: calls other than SUBSCRIBE are answered 503 so long, and an executor that
  // has not subscribed by then is killed (04a, 04b).
  Nanoseconds reregistration_timeout{std::chrono::seconds(2)};
};

}  // namespace mini_agent
