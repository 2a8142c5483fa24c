#include "mesos/agent_session.hpp"

#include <sys/random.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/encoding.hpp"
#include "base/go_duration.hpp"
#include "base/text.hpp"
#include "mesos/recordio.hpp"

namespace sidecar_executor::mesos {
using std::chrono::nanoseconds;
using SteadyClock = std::chrono::steady_clock;

namespace {

constexpr nanoseconds first_backoff = std::chrono::milliseconds(50);
constexpr nanoseconds least_backoff = std::chrono::milliseconds(1);
/// Between attempts at an update that the agent cannot take now, and at one that it refuses.
constexpr nanoseconds longest_wait = std::chrono::seconds(1);
constexpr nanoseconds longest_wait_refused = std::chrono::minutes(1);
constexpr std::size_t error_body_limit = 64 * 1024;
constexpr std::size_t read_size = 16 * 1024;

void fill_random(void* data, std::size_t size) {
  auto* at = static_cast<unsigned char*>(data);
  while (size > 0) {
    const ssize_t got = ::getrandom(at, size, 0);
    if (got <= 0) continue;  // only EINTR: sizes here are below 256 bytes
    at += got;
    size -= static_cast<std::size_t>(got);
  }
}

double wall_seconds() {
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration<double>(since).count();
}

}  // namespace

AgentSession::AgentSession(asio::any_io_executor executor, const AgentEnvironment& environment,
                           Log& log, Handlers handlers)
    : executor_(executor),
      environment_(environment),
      log_(log),
      handlers_(std::move(handlers)),
      wake_sender_(executor),
      stream_(environment.resend_after),
      away_since_(SteadyClock::now()) {
  std::uint64_t seed = 0;
  fill_random(&seed, sizeof seed);
  random_.seed(seed);
}

AgentSession::~AgentSession() = default;

asio::awaitable<void> AgentSession::run() {
  // Neither ends before close(): both are always joined.
  using namespace asio::experimental::awaitable_operators;
  co_await (keep_subscribed() && send_updates());
}

void AgentSession::close() {
  closed_.cancel();
  wake_sender_.raise();
}

void AgentSession::report(const StatusUpdate& update) {
  const std::string uuid = new_uuid();
  std::string status = encode_status(environment_.identity, update, uuid, wall_seconds());
  if (!stream_.add(update.task_id, update.state, uuid, std::move(status))) {
    log_.warning("Update after the terminal one, not sent",
                 {{"task_id", update.task_id}, {"state", std::string(to_string(update.state))}});
    return;
  }
  wake_sender_.raise();
}

void AgentSession::task_launched(const std::string& task_id, const std::string& task_json) {
  stream_.launched(task_id, task_json);
}

// ---- subscription ------------------------------------------------------------------------------

asio::awaitable<void> AgentSession::keep_subscribed() {
  while (!closed_.cancelled()) {
    const Ended ended = co_await subscribe_once();
    const bool had_stream = connected_;
    set_connected(false);
    if (ended != Ended::again || closed_.cancelled()) break;
    const nanoseconds away = SteadyClock::now() - away_since_;
    // A stream that broke is tried again at least once, whatever the patience.
    if (!had_stream && away >= patience()) {
      lose((was_connected_ ? "the agent did not come back within "
                           : "the agent could not be reached within ") +
           format_for_people(patience()));
      break;
    }
    const nanoseconds wait = next_backoff();
    const bool slept = co_await net::sleep_for(
        had_stream ? wait : std::clamp(patience() - away, nanoseconds(1), wait), closed_);
    if (!slept) break;
  }
}

/// How long a lost (or never found) agent is waited for.
nanoseconds AgentSession::patience() const {
  if (!was_connected_) {
    return environment_.recovery_timeout > nanoseconds(0) ? environment_.recovery_timeout
                                                          : nanoseconds(timeouts::first_subscribe);
  }
  // Without checkpointing the agent has forgotten us; one attempt shows whether only the
  // connection broke.
  return environment_.checkpoint ? environment_.recovery_timeout : nanoseconds(0);
}

/// About 50 ms at first, at most half of what the agent allows after its return, jittered so that
/// the executors of a host do not come all at once.
nanoseconds AgentSession::next_backoff() {
  const nanoseconds longest = std::max(environment_.subscription_backoff_max / 2, least_backoff);
  const nanoseconds step = std::min(longest, first_backoff * (1 << std::min(attempt_++, 10)));
  std::uniform_real_distribution<double> jitter(0.5, 1.0);
  return std::chrono::duration_cast<nanoseconds>(step * jitter(random_));
}

asio::awaitable<AgentSession::Ended> AgentSession::subscribe_once() {
  net::Cancellation this_stream;
  const auto hook = closed_.on_cancel([&this_stream] { this_stream.cancel(); });
  stream_cancel_ = &this_stream;
  net::HttpConnection connection(executor_, environment_.agent, &this_stream);
  auto call = request(encode_subscribe(environment_.identity, stream_.unacknowledged_tasks(),
                                       stream_.unacknowledged_statuses()));
  auto head = co_await connection.open(std::move(call), environment_.call_limit);
  if (!head) {
    stream_cancel_ = nullptr;
    if (closed_.cancelled()) co_return Ended::closed;
    if (last_refusal_ != head.error().message) {
      last_refusal_ = head.error().message;
      log_.warning("Cannot subscribe to the agent, retrying", {{"error", head.error().message}});
    }
    co_return Ended::again;
  }
  if (head->status != 200) {
    auto body = co_await connection.read_rest(environment_.call_limit, error_body_limit);
    stream_cancel_ = nullptr;
    const std::string text = "HTTP " + std::to_string(head->status) + " " +
                             (body ? one_line(*body, 300) : body.error().message);
    // A final no: unknown framework or executor, bad token. Anything else may pass: 503 while it
    // recovers, 404 while a restarted agent listens but has no routes yet.
    if (head->status == 400 || head->status == 401 || head->status == 403) {
      lose("the agent refuses the subscription: " + text);
      co_return Ended::lost;
    }
    if (last_refusal_ != text) {
      last_refusal_ = text;
      log_.warning("The agent is not ready, retrying", {{"answer", text}});
    }
    co_return Ended::again;
  }
  last_refusal_.clear();
  stream_.resubscribed(SteadyClock::now());
  const Ended ended = co_await read_events(connection);
  stream_cancel_ = nullptr;
  co_return ended;
}

asio::awaitable<AgentSession::Ended> AgentSession::read_events(net::HttpConnection& connection) {
  // A silent connection: no event, not even a heartbeat, for two intervals and a margin. Bytes that
  // make no event do not count.
  const nanoseconds silence = 2 * environment_.heartbeat_interval + environment_.heartbeat_margin;
  auto silent_from = SteadyClock::now() + silence;
  RecordIoDecoder decoder;
  std::vector<std::string> records;
  std::string chunk(read_size, '\0');
  for (;;) {
    const auto got = co_await connection.read_some(
        chunk.data(), chunk.size(),
        std::max(nanoseconds(1), nanoseconds(silent_from - SteadyClock::now())));
    if (closed_.cancelled()) co_return Ended::closed;
    if (!got || *got == 0) {
      std::string why = got ? "the agent ended the event stream" : got.error().message;
      if (!got && got.error().kind == ErrorKind::timeout) {
        why = "no event, not even a heartbeat, for " + format_for_people(silence);
      }
      if (!got && got.error().kind == ErrorKind::cancelled) why = "the agent does not know it";
      log_.warning("Connection to the agent lost, subscribing again", {{"error", why}});
      co_return Ended::again;
    }
    records.clear();
    const auto fed = decoder.feed(std::string_view(chunk).substr(0, *got), records);
    if (!records.empty()) silent_from = SteadyClock::now() + silence;
    for (const auto& record : records) {
      auto event = parse_event(record);
      if (!event) {
        log_.error("The agent sent an event that cannot be read, subscribing again",
                   {{"error", event.error().message}, {"record", one_line(record, 200)}});
        co_return Ended::again;
      }
      handle(std::move(*event));
      if (closed_.cancelled()) co_return Ended::closed;
    }
    if (!fed) {
      log_.error("The event stream is broken, subscribing again", {{"error", fed.error().message}});
      co_return Ended::again;
    }
  }
}

void AgentSession::handle(Event&& event) {
  // An agent that recovered without our task begins with SHUTDOWN, no SUBSCRIBED.
  set_connected(true);
  if (const auto* ack = std::get_if<Acknowledged>(&event)) {
    const auto state = stream_.acknowledged(ack->task_id, ack->uuid);
    if (!state) {
      log_.debug("Acknowledgement of an update that is not waiting for one", {{"uuid", ack->uuid}});
      return;
    }
    log_.debug("Acknowledged",
               {{"task_id", ack->task_id}, {"state", std::string(to_string(*state))}});
    wake_sender_.raise();
    if (stream_.all_acknowledged()) {
      // It took the last one, whatever became of its answer: what it did before is over.
      unanswered_ = 0;
      set_taking_updates(true);
      handlers_.on_all_acknowledged();
    }
    return;
  }
  handlers_.on_event(event);
}

void AgentSession::set_connected(bool connected) {
  if (connected == connected_) return;
  connected_ = connected;
  if (connected) {
    was_connected_ = true;
    connected_since_ = SteadyClock::now();
    wake_sender_.raise();
  } else {
    away_since_ = SteadyClock::now();
    // A stream that breaks again and again is no success.
    if (away_since_ - connected_since_ >= environment_.subscription_backoff_max) attempt_ = 0;
    // An UPDATE that waits for an answer of the old connection must not hold up the next one.
    if (call_cancel_ != nullptr) call_cancel_->cancel();
    stream_.disconnected();
  }
  told_away_ = false;
  unanswered_ = 0;
  not_taking_since_.reset();
  handlers_.on_connection(connected);
}

/// The stream is there and an UPDATE is not taken: nobody is to wait less for this agent than for
/// one that is gone, and not longer.
void AgentSession::set_taking_updates(bool taking) {
  const auto now = SteadyClock::now();
  if (taking) not_taking_since_.reset();
  if (!taking && !not_taking_since_) not_taking_since_ = now;
  const bool away = !taking && now - *not_taking_since_ < patience();
  if (away == told_away_) return;
  told_away_ = away;
  handlers_.on_connection(!away);
}

void AgentSession::lose(std::string why) {
  if (lost_) return;
  lost_ = true;
  log_.error("Agent lost", {{"why", why}});
  handlers_.on_lost(std::move(why));
}

// ---- updates -----------------------------------------------------------------------------------

asio::awaitable<void> AgentSession::send_updates() {
  while (!closed_.cancelled()) {
    const auto now = SteadyClock::now();
    auto update = connected_ ? stream_.next(now) : std::nullopt;
    if (update) {
      co_await send(*update);
      continue;
    }
    const auto due = connected_ ? stream_.next_due() : std::nullopt;
    co_await wake_sender_.wait(due.value_or(SteadyClock::time_point::max()));
  }
}

asio::awaitable<void> AgentSession::send(const UpdateStream::ToSend& update) {
  // A connection an update: it costs 0.1 ms on loopback, and a kept one that the agent closed
  // meanwhile would cost a retry.
  net::Cancellation this_call;
  const auto hook = closed_.on_cancel([&this_call] { this_call.cancel(); });
  call_cancel_ = &this_call;
  net::HttpConnection connection(executor_, environment_.agent, &this_call);
  auto call = request(encode_update(environment_.identity, update.status));
  const auto answer =
      co_await connection.exchange(std::move(call), update_limit(), error_body_limit);
  call_cancel_ = nullptr;
  if (this_call.cancelled()) co_return;
  judge(answer);
  if (!answer || answer->status != 202) {
    not_taken(update, answer);
    co_return;
  }
  sender_failures_ = 0;
  if (!last_update_problem_.empty()) {
    last_update_problem_.clear();
    log_.info("The agent takes updates again");
  }
  stream_.answered(update.uuid, true, SteadyClock::now());
}

/// No answer says nothing about the stream. An agent that stalls goes on when it wakes, and a KILL
/// that waits behind our UPDATE must not find a stream that we have closed: it never comes again. A
/// stream that the network swallows is ended by TCP's keep-alive.
void AgentSession::judge(const Result<net::HttpResponse>& answer) {
  const bool silent = !answer && answer.error().kind == ErrorKind::timeout;
  unanswered_ = silent ? unanswered_ + 1 : 0;
  set_taking_updates(answer && answer->status != 503);
}

/// Twice as long after each one without an answer: an agent that stalls finds every copy in its
/// queue when it wakes.
nanoseconds AgentSession::update_limit() const {
  return std::min(environment_.longest_update_limit,
                  environment_.update_limit * (1 << std::min(unanswered_, 10)));
}

/// Kept and tried again, whatever the answer was; said once for each text.
void AgentSession::not_taken(const UpdateStream::ToSend& update,
                             const Result<net::HttpResponse>& answer) {
  const auto now = SteadyClock::now();
  const int status = answer ? answer->status : 0;
  const std::string text =
      answer ? "HTTP " + std::to_string(status) + " " + one_line(answer->body, 300)
             : answer.error().message;
  // The agent has read it and does not like it: the same again would be refused again.
  const bool refused = status == 400 || status == 413;
  if (refused && stream_.refused_once(update.uuid, smaller_status(update.status))) {
    log_.error("The agent refuses an update, sending it again with less in it",
               {{"answer", text}, {"update", one_line(update.status, 300)}});
    return;
  }
  const bool news = last_update_problem_ != text;
  last_update_problem_ = text;
  const nanoseconds wait =
      std::min<nanoseconds>(refused ? longest_wait_refused : longest_wait,
                            std::chrono::milliseconds(100) * (1 << std::min(sender_failures_, 12)));
  ++sender_failures_;
  if (refused) {
    stream_.refused_again(update.uuid, now + wait);
    if (news) {
      log_.error("The agent refuses an update, kept until a later one stands for it",
                 {{"answer", text}, {"update", one_line(update.status, 300)}});
    }
    return;
  }
  stream_.answered(update.uuid, false, now, now + wait);
  if (news && status == 503) {
    log_.warning("The agent is recovering, update kept, retrying", {{"answer", text}});
  } else if (news) {
    log_.error("The agent did not take an update, kept, retrying", {{"error", text}});
  }
  // 403 Executor is not subscribed: our stream is one that the agent does not know.
  if (status == 403 && stream_cancel_ != nullptr) stream_cancel_->cancel();
}

net::HttpRequest AgentSession::request(std::string body) const {
  net::HttpRequest request;
  request.method = "POST";
  request.target = environment_.path;
  request.headers.emplace_back("Accept", "application/json");
  if (!environment_.authentication_token.empty()) {
    request.headers.emplace_back("Authorization", "Bearer " + environment_.authentication_token);
  }
  request.content_type = "application/json";  // exactly; with a charset the agent answers 415
  request.body = std::move(body);
  return request;
}

std::string AgentSession::new_uuid() {
  std::string bytes(16, '\0');
  fill_random(bytes.data(), bytes.size());
  bytes[6] = static_cast<char>((bytes[6] & 0x0f) | 0x40);  // version 4
  bytes[8] = static_cast<char>((bytes[8] & 0x3f) | 0x80);  // variant 1
  return base64_encode(bytes);
}

}  // namespace sidecar_executor::mesos
