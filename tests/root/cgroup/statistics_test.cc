// What the processes of a cgroup have used, and what the kernel did to them for it.
#include "cgroup/statistics.h"

#include <cstring>

#include <gmock/gmock.h>
#include <poll.h>
#include <sys/mman.h>

#include "cgroup/oom_watch.h"
#include "own_cgroup.h"

namespace berth::cgroup {
namespace {

constexpr int64_t kMiB = 1 << 20;

class OwnStatistics : public OwnCgroup {
 protected:
  // A process that enters and then works.
  template <typename Work>
  pid_t inside(Work work) {
    return process([this, work] {
      const auto entrances = cgroup().entrances(false);
      if (!entrances || !enter(*entrances)) ::_exit(1);
      work();
    });
  }
};

void use_memory(size_t size) {
  void* memory = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) ::_exit(1);
  std::memset(memory, 1, size);
}

TEST_F(OwnStatistics, RunningOutOfMemoryIsHeardOf) {
  Limits limits;
  limits.memory.limit = 8 * kMiB;
  limits.memory.swap = 8 * kMiB;
  ASSERT_TRUE(apply_limits(cgroup(), limits));
  auto watch = OomWatch::start(cgroup());
  ASSERT_TRUE(watch) << watch.error().message;
  ASSERT_TRUE(*watch) << "this machine has the controller";
  EXPECT_EQ((*watch)->times().value(), 0U);
  inside([] { use_memory(64 * kMiB); });
  pollfd polled{(*watch)->fd(), (*watch)->events(), 0};
  ASSERT_EQ(::poll(&polled, 1, 10'000), 1);
  EXPECT_GE((*watch)->times().value(), 1U);
  EXPECT_EQ((*watch)->times().value(), 0U) << "told once";
}

TEST_F(OwnStatistics, TheEndOfACgroupIsNoLackOfMemory) {
  auto watch = OomWatch::start(cgroup());
  ASSERT_TRUE(watch && *watch);
  ASSERT_TRUE(cgroup().remove());
  pollfd polled{(*watch)->fd(), (*watch)->events(), 0};
  ::poll(&polled, 1, 1000);
  EXPECT_EQ((*watch)->times().value_or(0), 0U);
}

TEST_F(OwnStatistics, TellWhatIsUsed) {
  Limits limits;
  limits.memory.limit = 64 * kMiB;
  limits.pids = 10;
  ASSERT_TRUE(apply_limits(cgroup(), limits));
  inside([] { use_memory(8 * kMiB); });
  Statistics found;
  for (int round = 0; round < 300; ++round) {
    found = read_statistics(cgroup()).value();
    if (found.memory.memory && found.memory.memory->now >= 8 * kMiB) break;
    ::usleep(10'000);
  }
  ASSERT_TRUE(found.memory.memory);
  EXPECT_GE(found.memory.memory->now, 8U * kMiB);
  EXPECT_EQ(found.memory.memory->limit, 64U * kMiB);
  EXPECT_EQ(found.memory.oom_kills, 0U);
  EXPECT_FALSE(found.memory.raw.empty());
  EXPECT_TRUE(found.memory.cache);
  ASSERT_TRUE(found.pids);
  EXPECT_EQ(found.pids->now, 1U);
  EXPECT_EQ(found.pids->limit, 10U);
  EXPECT_GT(found.cpu.usage_ns, 0U);
  EXPECT_EQ(found.cpu.pressure.has_value(), cgroup().v2() != nullptr) << "v2 has it also without controllers";
}

TEST_F(OwnStatistics, CountTheTimeThatWasNotGiven) {
  Limits limits;
  limits.cpu.quota = 2'000;
  limits.cpu.period = 20'000;
  ASSERT_TRUE(apply_limits(cgroup(), limits));
  inside([] {
    while (true) {
    }
  });
  Statistics found;
  for (int round = 0; round < 300 && found.cpu.throttled_ns.value_or(0) == 0; ++round) {
    ::usleep(10'000);
    found = read_statistics(cgroup()).value();
  }
  EXPECT_GT(found.cpu.throttled_periods, 0U);
  EXPECT_GT(found.cpu.throttled_ns, 0U);
}

TEST_F(OwnStatistics, CountProcessesKilledForLackOfMemory) {
  Limits limits;
  limits.memory.limit = 16 * kMiB;
  limits.memory.swap = 16 * kMiB;
  ASSERT_TRUE(apply_limits(cgroup(), limits));
  const pid_t child = inside([] { use_memory(64 * kMiB); });
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
  EXPECT_EQ(read_oom_kills(cgroup()).value(), 1U);
  EXPECT_EQ(read_statistics(cgroup()).value().memory.oom_kills, 1U);
}

TEST_F(OwnStatistics, OfACgroupThatIsGoneAreAnError) {
  const Cgroup below = Cgroup::create(hierarchies(), path("/gone")).value();
  ASSERT_TRUE(below.remove());
  EXPECT_EQ(read_statistics(below).error().code, Code::not_found);
  EXPECT_EQ(read_oom_kills(below).error().code, Code::not_found);
}

}  // namespace
}  // namespace berth::cgroup
