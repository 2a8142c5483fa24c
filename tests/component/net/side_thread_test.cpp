// What blocks, beside the loop.
#include "net/side_thread.hpp"

#include <atomic>
#include <future>

#include "support/run.hpp"

namespace sidecar_executor::net {
namespace {

using namespace std::chrono_literals;

TEST(SideThreadTest, ItsResultIsThereWhenItReturns) {
  test::Loop loop;
  auto text = std::make_shared<std::string>();
  const auto done = loop.run([&] { return in_side_thread([text] { *text = "seen"; }, 30s); });
  EXPECT_TRUE(done.has_value());
  EXPECT_EQ(*text, "seen");
}

TEST(SideThreadTest, OneThatBlocksIsLeftToItself) {
  test::Loop loop;
  auto gate = std::make_shared<std::promise<void>>();
  auto ended = std::make_shared<std::promise<void>>();
  const auto done = loop.run([&] {
    return in_side_thread(
        [gate, ended] {
          gate->get_future().wait();
          ended->set_value();
        },
        20ms);
  });
  ASSERT_FALSE(done.has_value());
  EXPECT_EQ(done.error().kind, ErrorKind::timeout);
  EXPECT_TRUE(loop.runs_out());
  gate->set_value();
  EXPECT_EQ(ended->get_future().wait_for(30s), std::future_status::ready);
}

TEST(SideThreadTest, IsCancelled) {
  test::Loop loop;
  Cancellation cancellation;
  auto gate = std::make_shared<std::promise<void>>();
  auto call = loop.start(
      [&] { return in_side_thread([gate] { gate->get_future().wait(); }, 30s, &cancellation); });
  loop.poll();
  cancellation.cancel();
  EXPECT_EQ(loop.finish(call).error().kind, ErrorKind::cancelled);
  gate->set_value();
  const auto late = loop.run([&] { return in_side_thread([] { FAIL(); }, 30s, &cancellation); });
  EXPECT_EQ(late.error().kind, ErrorKind::cancelled);
}

}  // namespace
}  // namespace sidecar_executor::net
