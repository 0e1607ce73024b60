// Limits in the hierarchies of this machine. What is asked for is what the kernel then says and does.
#include "cgroup/limits.h"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/mman.h>

#include "own_cgroup.h"

namespace berth::cgroup {
namespace {

using testing::AnyOf;
using testing::Eq;
using testing::HasSubstr;

constexpr int64_t kMiB = 1 << 20;

class OwnLimits : public OwnCgroup {
 protected:
  void apply(const Limits& limits) {
    const auto applied = apply_limits(cgroup(), limits);
    EXPECT_TRUE(applied) << applied.error().message << " " << applied.error().hint;
  }
  Error refused(const Limits& limits) {
    const auto applied = apply_limits(cgroup(), limits);
    EXPECT_FALSE(applied);
    return applied ? Error() : applied.error();
  }
  // The file of v1, or that of v2 where the controller is there.
  std::string value(std::string_view controller, const std::string& v1, const std::string& v2) {
    const Cgroup::Part* part = cgroup().with_controller(controller);
    return part == nullptr ? "none" : read_control(part->fd.get(), part->v2() ? v2 : v1).value_or("none");
  }
};

// Raised and lowered over each other, without CAP_SYS_RESOURCE: a cgroup's limits do not ask for it.
TEST_F(OwnLimits, MemoryIsSetRaisedAndLowered) {
  for (const int64_t size : {64, 256, 16, 128}) {
    Limits limits;
    limits.memory.limit = size * kMiB;
    limits.memory.swap = size * kMiB;
    apply(limits);
    EXPECT_EQ(value("memory", "memory.limit_in_bytes", "memory.max"), std::to_string(size * kMiB) + "\n");
    EXPECT_THAT(value("memory", "memory.memsw.limit_in_bytes", "memory.swap.max"),
                AnyOf(std::to_string(size * kMiB) + "\n", Eq("0\n"), Eq("none")));
  }
  Limits limits;
  limits.memory.limit = kUnlimited;
  apply(limits);
  EXPECT_THAT(value("memory", "memory.limit_in_bytes", "memory.max"),
              AnyOf("9223372036854771712\n", "max\n"));
}

TEST_F(OwnLimits, ALimitAboveThatOfMemoryAndSwapIsExplained) {
  if (cgroup().with_controller("memory")->v2()) return;  // there they are apart
  Limits limits;
  limits.memory.limit = 16 * kMiB;
  limits.memory.swap = 16 * kMiB;
  apply(limits);
  limits.memory.limit = 64 * kMiB;
  limits.memory.swap.reset();
  const Error error = refused(limits);
  EXPECT_THAT(error.message, HasSubstr("set linux.resources.memory.limit: write \"67108864\" to "));
  EXPECT_THAT(error.message, HasSubstr("memory.limit_in_bytes: EINVAL"));
  EXPECT_THAT(error.hint, HasSubstr("give memory.swap with it"));
}

TEST_F(OwnLimits, WhatIsInUseIsNotTakenAwayIfThatIsAsked) {
  const pid_t child = process([] {
    ::usleep(50'000);
    void* memory = ::mmap(nullptr, 8 * kMiB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    std::memset(memory, 1, 8 * kMiB);
  });
  ASSERT_TRUE(cgroup().add(child));
  for (int round = 0; round < 200; ++round) {
    if (look_at(cgroup(), {.memory = {.limit = 1}}).value().memory_usage > 8 * kMiB) break;
    ::usleep(10'000);
  }
  Limits limits;
  limits.memory.limit = kMiB;
  limits.memory.check_before_update = true;
  EXPECT_THAT(refused(limits).message, HasSubstr("bytes are in use, more than the new limit of 1048576"));
}

TEST_F(OwnLimits, ALimitOfProcessesHolds) {
  Limits limits;
  limits.pids = 1;
  apply(limits);
  std::array<int, 2> answer{};
  ASSERT_EQ(::pipe(answer.data()), 0);
  const auto entrances = cgroup().entrances(false).value();
  process([&] {
    if (!enter(entrances)) ::_exit(1);
    const pid_t child = ::fork();
    const char told = child < 0 && errno == EAGAIN ? 'y' : 'n';
    if (child == 0) ::_exit(0);
    [[maybe_unused]] const auto written = ::write(answer[1], &told, 1);
  });
  char told = 0;
  ASSERT_EQ(::read(answer[0], &told, 1), 1);
  EXPECT_EQ(told, 'y');
  for (const int end : answer) ::close(end);
  limits.pids = kUnlimited;
  apply(limits);
  EXPECT_EQ(content("pids", "pids.max"), "max\n");
}

// The order in which they are written can't be right for each of these; what is refused at first is tried
// again.
TEST_F(OwnLimits, CpuTimeIsChangedInAnyDirection) {
  const struct {
    int64_t quota;
    uint64_t period, burst;
  } steps[] = {
      {50'000, 100'000, 20'000}, {5'000, 10'000, 5'000}, {800'000, 1'000'000, 700'000}, {1'000, 2'000, 0}};
  for (const auto& step : steps) {
    Limits limits;
    limits.cpu.quota = step.quota;
    limits.cpu.period = step.period;
    limits.cpu.burst = step.burst;
    apply(limits);
    EXPECT_THAT(value("cpu", "cpu.cfs_quota_us", "cpu.max"), HasSubstr(std::to_string(step.quota)));
    EXPECT_THAT(value("cpu", "cpu.cfs_period_us", "cpu.max"), HasSubstr(std::to_string(step.period)));
    EXPECT_EQ(value("cpu", "cpu.cfs_burst_us", "cpu.max.burst"), std::to_string(step.burst) + "\n");
  }
}

TEST_F(OwnLimits, CpuSharesAndIdle) {
  Limits limits;
  limits.cpu.shares = 2000;
  apply(limits);
  EXPECT_THAT(value("cpu", "cpu.shares", "cpu.weight"), AnyOf("2000\n", "170\n"));
  limits.cpu.idle = 1;
  apply(limits);
  EXPECT_EQ(content("cpu", "cpu.idle"), "1\n");
  limits.cpu.idle = 0;
  apply(limits);
  EXPECT_EQ(content("cpu", "cpu.idle"), "0\n");
}

TEST_F(OwnLimits, ProcessorsAreThoseOfTheCgroupAbove) {
  Limits limits;
  limits.cpu.cpus = "0";
  limits.cpu.mems = "0";
  apply(limits);
  EXPECT_EQ(content("cpuset", "cpuset.cpus"), "0\n");
  limits.cpu.cpus = "0-4095";
  const Error error = refused(limits);
  EXPECT_THAT(error.message, HasSubstr("set linux.resources.cpu.cpus: write \"0-4095\" to "));
}

TEST_F(OwnLimits, WeightsOfBlockDevicesWhereTheKernelHasThem) {
  Limits limits;
  limits.block_io.weight = 250;
  const Facts facts = look_at(cgroup(), limits).value();
  if (facts.bfq_weight) {
    apply(limits);
    EXPECT_THAT(content("blkio", "blkio.bfq.weight") + content("io", "io.bfq.weight"), HasSubstr("250"));
  } else if (!facts.weight) {
    EXPECT_THAT(refused(limits).message, HasSubstr("this kernel has no weights for block devices"));
  }
}

TEST_F(OwnLimits, AThrottleOfADeviceThatIsNotThereIsExplained) {
  Limits limits;
  limits.block_io.throttle_read_bps = {{{4095, 1}, 1000}};
  EXPECT_THAT(refused(limits).message, HasSubstr("set linux.resources.blockIO.throttleReadBpsDevice: "));
  EXPECT_THAT(refused(limits).hint, HasSubstr("There is no such device"));
}

TEST_F(OwnLimits, AControllerThatIsNotHereIsNamed) {
  Limits limits;
  limits.rdma = {{"mlx5_0", 1, 1}};
  if (cgroup().with_controller("rdma") != nullptr) return;
  EXPECT_THAT(refused(limits).message,
              HasSubstr("linux.resources.rdma: the cgroup controller rdma is not there"));
}

TEST_F(OwnLimits, WhatV2AloneCanDoOnAHybridHost) {
  if (cgroup().v2() == nullptr) return;
  Limits limits;
  limits.unified = {{"cgroup.max.descendants", "7"}};
  apply(limits);
  EXPECT_EQ(read_control(cgroup().v2()->fd.get(), "cgroup.max.descendants").value(), "7\n");
}

TEST_F(OwnLimits, KernelMemoryThatTheKernelHasGivenUpIsAnError) {
  if (cgroup().with_controller("memory")->v2()) return;
  Limits limits;
  limits.memory.kernel = 64 * kMiB;
  const auto applied = apply_limits(cgroup(), limits);
  EXPECT_TRUE(applied || applied.error().hint.find("Take it out of the configuration") != std::string::npos);
}

}  // namespace
}  // namespace berth::cgroup
