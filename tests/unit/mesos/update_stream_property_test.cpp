// UpdateStream against an agent that loses, repeats, delays and disconnects, at random: whatever
// happens, each update arrives, first arrivals come in order, one is in flight, and it all ends.

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

#include "mesos/update_stream.hpp"

namespace sidecar_executor::mesos {
namespace {

using namespace std::chrono_literals;
using Clock = UpdateStream::Clock;

struct Added {
  std::string uuid;
  std::string task;
  bool terminal = false;
};

class World {
 public:
  explicit World(std::uint32_t seed) : random_(seed) {}

  void run();

 private:
  [[nodiscard]] bool one_in(std::uint32_t n) { return random_() % n == 0; }
  void produce();
  void connect();
  void disconnect();
  void send();
  void answer();
  void agent_takes(const std::string& uuid);
  void agent_acknowledges();
  void check_end() const;

  std::mt19937 random_;
  UpdateStream stream_;
  Clock::time_point now_ = Clock::time_point{} + 1000s;
  bool connected_ = true;
  /// Trouble stops here, so that the sequence can end.
  bool calm_ = false;
  std::optional<std::string> flight_;
  bool flight_taken_ = false;
  std::vector<Added> added_;
  std::vector<std::string> arrived_;           // first arrivals
  std::vector<std::string> acknowledgements_;  // on their way
  std::map<std::string, bool> task_ended_;     // at the agent
};

void World::produce() {
  if (added_.size() >= 12) return;
  const std::string task = one_in(5) ? "other" : "task";
  const std::string uuid = std::to_string(added_.size());
  const bool terminal = one_in(6);
  const bool had_end = std::any_of(added_.begin(), added_.end(), [&task](const Added& a) {
    return a.task == task && a.terminal;
  });
  const bool taken =
      stream_.add(task, terminal ? TaskState::finished : TaskState::running, uuid, uuid);
  ASSERT_EQ(taken, !had_end);
  if (taken) added_.push_back({uuid, task, terminal});
}

void World::agent_takes(const std::string& uuid) {
  if (std::find(arrived_.begin(), arrived_.end(), uuid) == arrived_.end()) {
    const auto& update = added_.at(std::stoul(uuid));
    ASSERT_FALSE(task_ended_[update.task]) << "after the terminal one";
    task_ended_[update.task] = update.terminal;
    arrived_.push_back(uuid);
  }
  const int copies = calm_ ? 1 : static_cast<int>(random_() % 3);  // lost, once, twice
  acknowledgements_.insert(acknowledgements_.end(), static_cast<std::size_t>(copies), uuid);
}

void World::send() {
  if (!connected_) return;
  const auto due = stream_.next_due();
  const auto update = stream_.next(now_);
  // next_due() says truly when next() has something.
  ASSERT_EQ(update.has_value(), !flight_ && due && *due <= now_);
  if (!update) return;
  ASSERT_FALSE(flight_) << "two in flight";
  flight_ = update->uuid;
  flight_taken_ = false;
}

void World::answer() {
  if (!flight_) return;
  if (!flight_taken_ && (calm_ || one_in(2))) {
    flight_taken_ = true;
    agent_takes(*flight_);
    if (!calm_ && one_in(2)) return;  // an acknowledgement may come first
  }
  // A 202 says that the agent has it; an error says nothing.
  const bool accepted = flight_taken_ && (calm_ || !one_in(4));
  stream_.answered(*flight_, accepted, now_, now_ + 1s);
  flight_.reset();
}

void World::agent_acknowledges() {
  if (!connected_ || acknowledgements_.empty()) return;
  const std::string uuid = acknowledgements_.front();
  acknowledgements_.erase(acknowledgements_.begin());
  stream_.acknowledged(added_.at(std::stoul(uuid)).task, uuid);
  if (one_in(8)) {
    EXPECT_EQ(stream_.acknowledged("nobody", uuid), std::nullopt);
  }
}

void World::disconnect() {
  if (!connected_) return;
  connected_ = false;
  stream_.disconnected();
  if (flight_ && one_in(2)) stream_.answered(*flight_, true, now_);  // too late, of the old one
  flight_.reset();
  acknowledgements_.clear();
}

void World::connect() {
  if (connected_) return;
  const auto carried = stream_.unacknowledged_statuses();
  if (!calm_ && one_in(3)) return;  // SUBSCRIBE failed
  if (!calm_ && one_in(3)) produce();
  for (const auto& uuid : carried) agent_takes(uuid);
  stream_.resubscribed(now_);
  connected_ = true;
}

void World::check_end() const {
  ASSERT_TRUE(stream_.all_acknowledged());
  ASSERT_EQ(stream_.next_due(), std::nullopt);
  ASSERT_EQ(arrived_.size(), added_.size());
  for (std::size_t i = 0; i < added_.size(); ++i) ASSERT_EQ(arrived_[i], added_[i].uuid);
}

void World::run() {
  for (int step = 0; step < 80 && !testing::Test::HasFatalFailure(); ++step) {
    switch (random_() % 8) {
      case 0:
        produce();
        break;
      case 1:
        now_ += std::chrono::milliseconds(random_() % 6000);
        break;
      case 2:
        if (one_in(3)) disconnect();
        break;
      case 3:
        connect();
        break;
      case 4:
        answer();
        break;
      case 5:
        agent_acknowledges();
        break;
      default:
        send();
    }
  }
  calm_ = true;
  for (int step = 0; step < 200 && !testing::Test::HasFatalFailure(); ++step) {
    connect();
    send();
    answer();
    agent_acknowledges();
    now_ += 1s;
  }
  check_end();
}

TEST(UpdateStreamProperty, AgainstAnUnreliableAgent) {
  for (std::uint32_t seed = 0; seed < 20'000; ++seed) {
    SCOPED_TRACE(seed);
    World world(seed);
    world.run();
    if (HasFatalFailure()) return;
  }
}

}  // namespace
}  // namespace sidecar_executor::mesos
