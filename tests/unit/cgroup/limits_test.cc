// What limits become: tables of writes, on v1, v2 and hybrid.
#include "cgroup/limits.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace berth::cgroup {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

Facts v1() {
  Facts facts;
  for (const char* name : {"memory", "cpu", "cpuacct", "cpuset", "pids", "blkio", "hugetlb", "net_cls",
                           "net_prio", "rdma", "devices", "freezer"}) {
    facts.controllers.emplace(name, Version::v1);
  }
  return facts;
}

Facts v2() {
  Facts facts;
  facts.v2_shown = "/sys/fs/cgroup/x";
  for (const char* name : {"memory", "cpu", "cpuset", "pids", "io", "hugetlb", "rdma"}) {
    facts.controllers.emplace(name, Version::v2);
  }
  return facts;
}

// "file=value", with a mark for the writes that may wait.
std::vector<std::string> plan(const Limits& limits, const Facts& facts) {
  const auto writes = plan_limits(limits, facts);
  if (!writes) return {"error: " + writes.error().message};
  std::vector<std::string> out;
  for (const Write& one : *writes) {
    const char* mark = one.when == Write::When::now ? "" : one.when == Write::When::if_there ? "? " : "~ ";
    out.push_back(mark + one.file + "=" + one.value);
  }
  return out;
}

constexpr int64_t kMiB = 1 << 20;

TEST(Limits, NoneGivenWritesNothingAndNeedsNoController) {
  EXPECT_THAT(plan({}, Facts()), IsEmpty());
  // As Docker sends them.
  Limits zeros;
  zeros.memory.limit = 0;
  zeros.memory.swap = 0;
  zeros.memory.disable_oom_killer = false;
  zeros.cpu.shares = 0;
  zeros.cpu.quota = 0;
  zeros.cpu.period = 0;
  zeros.block_io.weight = 0;
  zeros.pids = 0;
  EXPECT_THAT(plan(zeros, Facts()), IsEmpty());
  EXPECT_THAT(controllers_for(zeros), IsEmpty());
}

TEST(Limits, MemoryOnBoth) {
  Limits limits;
  limits.memory.limit = 64 * kMiB;
  limits.memory.swap = 96 * kMiB;
  limits.memory.reservation = 32 * kMiB;
  EXPECT_THAT(plan(limits, v1()),
              ElementsAre("memory.limit_in_bytes=67108864", "memory.memsw.limit_in_bytes=100663296",
                          "memory.soft_limit_in_bytes=33554432"));
  EXPECT_THAT(plan(limits, v2()),
              ElementsAre("memory.swap.max=33554432", "memory.max=67108864", "memory.low=33554432"))
      << "v2's swap is swap alone";
}

TEST(Limits, MemoryUnlimited) {
  Limits limits;
  limits.memory.limit = kUnlimited;
  EXPECT_THAT(plan(limits, v1()), ElementsAre("memory.memsw.limit_in_bytes=-1", "memory.limit_in_bytes=-1"));
  EXPECT_THAT(plan(limits, v2()), ElementsAre("memory.swap.max=max", "memory.max=max"));
  Facts no_swap = v1();
  no_swap.swap = false;
  EXPECT_THAT(plan(limits, no_swap), ElementsAre("memory.limit_in_bytes=-1"));
}

// The kernel wants limit <= memsw at every moment.
TEST(Limits, MemoryOnV1IsRaisedFromAboveAndLoweredFromBelow) {
  Facts facts = v1();
  facts.memory_limit = 64 * kMiB;
  facts.memory_and_swap_limit = 64 * kMiB;
  Limits limits;
  limits.memory.limit = 128 * kMiB;
  limits.memory.swap = 128 * kMiB;
  EXPECT_THAT(plan(limits, facts),
              ElementsAre("memory.memsw.limit_in_bytes=134217728", "memory.limit_in_bytes=134217728"));
  limits.memory.limit = 32 * kMiB;
  limits.memory.swap = 32 * kMiB;
  EXPECT_THAT(plan(limits, facts),
              ElementsAre("memory.limit_in_bytes=33554432", "memory.memsw.limit_in_bytes=33554432"));
  limits.memory.swap = kUnlimited;
  EXPECT_THAT(plan(limits, facts),
              ElementsAre("memory.memsw.limit_in_bytes=-1", "memory.limit_in_bytes=33554432"));
}

TEST(Limits, SwapIsOfMemoryAndSwapTogether) {
  Limits limits;
  limits.memory.swap = 32 * kMiB;
  EXPECT_THAT(plan(limits, v2()),
              ElementsAre(HasSubstr("linux.resources.memory.swap: it limits memory and swap")));
  Facts facts = v2();
  facts.memory_limit = 24 * kMiB;
  EXPECT_THAT(plan(limits, facts), ElementsAre("memory.swap.max=8388608"))
      << "an update beside the limit there is";
  limits.memory.limit = 64 * kMiB;
  for (const Facts& here : {v1(), v2()})
    EXPECT_THAT(plan(limits, here), ElementsAre(HasSubstr("is less than")));
  limits.memory.swap = 64 * kMiB;
  EXPECT_THAT(plan(limits, v2()), ElementsAre("memory.swap.max=0", "memory.max=67108864"));
}

TEST(Limits, SwapWhereTheKernelDoesNotAccountIt) {
  Facts old = v2();
  old.swap = false;
  Limits limits;
  limits.memory.limit = kMiB;
  limits.memory.swap = kMiB;
  EXPECT_THAT(plan(limits, old), ElementsAre("memory.max=1048576"));
  limits.memory.swap = 2 * kMiB;
  EXPECT_THAT(plan(limits, old), ElementsAre(HasSubstr("does not account swap")));
  old = v1();
  old.swap = false;
  EXPECT_THAT(plan(limits, old), ElementsAre(HasSubstr("does not account swap")));
}

TEST(Limits, WhatV1HasForMemoryAndV2HasNot) {
  Limits limits;
  limits.memory.kernel_tcp = 5 * kMiB;
  limits.memory.swappiness = 10;
  limits.memory.disable_oom_killer = true;
  limits.memory.use_hierarchy = true;
  EXPECT_THAT(plan(limits, v1()),
              ElementsAre("memory.use_hierarchy=1", "memory.kmem.tcp.limit_in_bytes=5242880",
                          "memory.swappiness=10", "memory.oom_control=1"));
  EXPECT_THAT(plan(limits, v2()), ElementsAre(HasSubstr("memory.kernelTCP: cgroup v2 has no such limit")));
  limits.memory.kernel_tcp.reset();
  EXPECT_THAT(plan(limits, v2()), ElementsAre(HasSubstr("memory.swappiness: cgroup v2 has no such limit")));
  limits.memory.swappiness.reset();
  EXPECT_THAT(plan(limits, v2()),
              ElementsAre(HasSubstr("memory.disableOOMKiller: cgroup v2 has no such limit")));
  limits.memory.disable_oom_killer = false;
  EXPECT_THAT(plan(limits, v2()), IsEmpty());
}

TEST(Limits, NoLimitBelowWhatIsInUseIfThatIsAsked) {
  Facts facts = v2();
  facts.memory_usage = 80 * kMiB;
  Limits limits;
  limits.memory.limit = 64 * kMiB;
  EXPECT_THAT(plan(limits, facts), ElementsAre("memory.max=67108864"));
  limits.memory.check_before_update = true;
  EXPECT_THAT(plan(limits, facts), ElementsAre(HasSubstr("83886080 bytes are in use")));
}

TEST(Limits, Cpu) {
  Limits limits;
  limits.cpu.shares = 1024;
  limits.cpu.quota = 50'000;
  limits.cpu.period = 200'000;
  limits.cpu.burst = 10'000;
  limits.cpu.cpus = "0-1";
  limits.cpu.mems = "0";
  EXPECT_THAT(plan(limits, v1()),
              ElementsAre("cpu.shares=1024", "~ cpu.cfs_period_us=200000", "~ cpu.cfs_burst_us=10000",
                          "cpu.cfs_quota_us=50000", "cpuset.cpus=0-1", "cpuset.mems=0"));
  EXPECT_THAT(plan(limits, v2()), ElementsAre("cpu.weight=100", "~ cpu.max.burst=10000",
                                              "cpu.max=50000 200000", "cpuset.cpus=0-1", "cpuset.mems=0"));
}

TEST(Limits, AQuotaAloneKeepsThePeriodAndAPeriodAloneTheQuota) {
  Limits limits;
  limits.cpu.quota = kUnlimited;
  EXPECT_THAT(plan(limits, v2()), ElementsAre("cpu.max=max"));
  EXPECT_THAT(plan(limits, v1()), ElementsAre("cpu.cfs_quota_us=-1"));
  limits.cpu.quota.reset();
  limits.cpu.period = 50'000;
  Facts facts = v2();
  facts.cpu_quota = "20000";
  EXPECT_THAT(plan(limits, facts), ElementsAre("cpu.max=20000 50000"));
}

TEST(Limits, IdleGoesWithNoShares) {
  Limits limits;
  limits.cpu.shares = 512;
  limits.cpu.idle = 1;
  EXPECT_THAT(plan(limits, v1()), ElementsAre("cpu.shares=512", "cpu.idle=1"));
  limits.cpu.idle = 0;
  EXPECT_THAT(plan(limits, v2()), ElementsAre("cpu.idle=0", "cpu.weight=59"));
  limits.cpu.idle = 2;
  EXPECT_THAT(plan(limits, v2()), ElementsAre(HasSubstr("cpu.idle: 2 is not 0 or 1")));
}

TEST(Limits, RealTimeIsV1s) {
  Limits limits;
  limits.cpu.realtime_period = 1'000'000;
  limits.cpu.realtime_runtime = 5000;
  EXPECT_THAT(plan(limits, v1()), ElementsAre("~ cpu.rt_period_us=1000000", "cpu.rt_runtime_us=5000"));
  EXPECT_THAT(plan(limits, v2()), ElementsAre(HasSubstr("cpu.realtimePeriod: cgroup v2 has no such limit")));
}

// runc's own example: 2000 shares became 170 when the curve was introduced.
TEST(Limits, SharesToWeight) {
  const std::pair<uint64_t, uint64_t> table[] = {
      {0, 0},      {1, 1},       {2, 1},          {3, 2},          {102, 17},         {1024, 100},
      {2000, 170}, {10240, 639}, {262143, 10000}, {262144, 10000}, {1'000'000, 10000}};
  for (const auto& [shares, weight] : table) EXPECT_EQ(weight_of_shares(shares), weight) << shares;
  for (uint64_t shares = 2; shares < 300'000; shares += 7) {
    EXPECT_LE(weight_of_shares(shares), weight_of_shares(shares + 7)) << "never less for more";
  }
  EXPECT_EQ(io_weight(0), 0U);
  EXPECT_EQ(io_weight(10), 1U);
  EXPECT_EQ(io_weight(500), 4950U);
  EXPECT_EQ(io_weight(1000), 10000U);
}

TEST(Limits, Pids) {
  Limits limits;
  limits.pids = 100;
  for (const Facts& facts : {v1(), v2()}) EXPECT_THAT(plan(limits, facts), ElementsAre("pids.max=100"));
  limits.pids = kUnlimited;
  for (const Facts& facts : {v1(), v2()}) EXPECT_THAT(plan(limits, facts), ElementsAre("pids.max=max"));
  limits.pids = -2;
  EXPECT_THAT(plan(limits, v1()), ElementsAre(HasSubstr("pids.limit: -2 is no number of processes")));
}

TEST(Limits, BlockIoWeights) {
  Limits limits;
  limits.block_io.weight = 500;
  limits.block_io.weight_device = {{{8, 16}, 100, std::nullopt}};
  EXPECT_THAT(plan(limits, v1()), ElementsAre("blkio.weight=500", "blkio.weight_device=8:16 100"));
  EXPECT_THAT(plan(limits, v2()), ElementsAre("io.weight=4950", "io.weight=8:16 910"));
  Facts bfq = v1();
  bfq.bfq_weight = true;
  EXPECT_THAT(plan(limits, bfq), ElementsAre("blkio.bfq.weight=500", "blkio.bfq.weight_device=8:16 100"));
  bfq = v2();
  bfq.bfq_weight = true;
  EXPECT_THAT(plan(limits, bfq), ElementsAre("io.bfq.weight=500", "io.bfq.weight=8:16 100"));
  for (Facts none : {v1(), v2()}) {
    none.weight = false;
    EXPECT_THAT(plan(limits, none), ElementsAre(HasSubstr("this kernel has no weights for block devices")));
  }
  limits.block_io.weight = 5;
  EXPECT_THAT(plan(limits, v1()), ElementsAre(HasSubstr("blockIO.weight: 5 is not 10 to 1000")));
}

TEST(Limits, BlockIoLeafWeightsAreV1s) {
  Limits limits;
  limits.block_io.leaf_weight = 300;
  limits.block_io.weight_device = {{{8, 0}, std::nullopt, 20}};
  EXPECT_THAT(plan(limits, v1()), ElementsAre("blkio.leaf_weight=300", "blkio.leaf_weight_device=8:0 20"));
  EXPECT_THAT(plan(limits, v2()), ElementsAre(HasSubstr("blockIO.leafWeight: cgroup v2 has no such limit")));
}

TEST(Limits, BlockIoThrottles) {
  Limits limits;
  limits.block_io.throttle_read_bps = {{{8, 0}, 1048576}, {{8, 16}, 0}};
  limits.block_io.throttle_write_iops = {{{8, 0}, 50}};
  EXPECT_THAT(plan(limits, v1()), ElementsAre("blkio.throttle.read_bps_device=8:0 1048576",
                                              "blkio.throttle.read_bps_device=8:16 0",
                                              "blkio.throttle.write_iops_device=8:0 50"));
  EXPECT_THAT(plan(limits, v2()),
              ElementsAre("io.max=8:0 rbps=1048576", "io.max=8:16 rbps=max", "io.max=8:0 wiops=50"));
}

TEST(Limits, Hugepages) {
  Limits limits;
  limits.hugepages = {{"2MB", 4 * kMiB}};
  EXPECT_THAT(plan(limits, v1()),
              ElementsAre("hugetlb.2MB.limit_in_bytes=4194304", "? hugetlb.2MB.rsvd.limit_in_bytes=4194304"));
  EXPECT_THAT(plan(limits, v2()), ElementsAre("hugetlb.2MB.max=4194304", "? hugetlb.2MB.rsvd.max=4194304"));
  for (const char* bad : {"", "2", "MB", "2mb", "2MB/..", "../2MB", "99999999999MB"}) {
    limits.hugepages = {{bad, 1}};
    EXPECT_THAT(plan(limits, v2()), ElementsAre(HasSubstr("is no page size like 2MB or 1GB"))) << bad;
  }
}

TEST(Limits, NetworkAndRdma) {
  Limits limits;
  limits.network_class = 1048577;
  limits.network_priorities = {{"eth0", 5}};
  EXPECT_THAT(plan(limits, v1()), ElementsAre("net_cls.classid=1048577", "net_prio.ifpriomap=eth0 5"));
  EXPECT_THAT(plan(limits, v2()), ElementsAre(HasSubstr("the cgroup controller net_cls is not there")));
  limits = {};
  limits.network_priorities = {{"eth0 1\nlo", 5}};
  EXPECT_THAT(plan(limits, v1()), ElementsAre(HasSubstr("no name of a network interface")));
  limits = {};
  limits.rdma = {{"mlx5_1", 3, 10000}, {"mlx4_0", std::nullopt, 9}};
  for (const Facts& facts : {v1(), v2()}) {
    EXPECT_THAT(plan(limits, facts),
                ElementsAre("rdma.max=mlx5_1 hca_handle=3 hca_object=10000", "rdma.max=mlx4_0 hca_object=9"));
  }
}

TEST(Limits, Unified) {
  Limits limits;
  limits.unified = {
      {"cgroup.max.depth", "3"}, {"io.max", "8:0 rbps=1\n8:16 rbps=2\n"}, {"memory.high", "1G"}};
  EXPECT_THAT(plan(limits, v2()),
              ElementsAre("cgroup.max.depth=3", "io.max=8:0 rbps=1", "io.max=8:16 rbps=2", "memory.high=1G"));
  EXPECT_THAT(plan(limits, v1()), ElementsAre(HasSubstr("cgroup v2 is not mounted here")));
  limits.unified = {{"memory.high", "1G"}};
  EXPECT_THAT(plan(limits, v1()), ElementsAre(HasSubstr("the controller memory is on cgroup v1 here")));
  for (const char* bad :
       {"", "memory", ".x", "../memory.max", "memory.max/x", "cgroup.procs", "cgroup.kill"}) {
    limits.unified = {{bad, "1"}};
    EXPECT_THAT(plan(limits, v2()), ElementsAre(HasSubstr("linux.resources.unified["))) << bad;
  }
}

TEST(Limits, AHybridHostHasEachControllerInItsPlace) {
  Facts facts = v1();
  facts.controllers.at("hugetlb") = Version::v2;
  facts.v2_shown = "/sys/fs/cgroup/unified/x";
  Limits limits;
  limits.pids = 3;
  limits.hugepages = {{"1GB", 0}};
  limits.unified = {{"hugetlb.2MB.max", "0"}};
  EXPECT_THAT(plan(limits, facts), ElementsAre("pids.max=3", "hugetlb.1GB.max=0", "? hugetlb.1GB.rsvd.max=0",
                                               "hugetlb.2MB.max=0"));
}

TEST(Limits, AMissingControllerIsNamedWithThePlaceToEnableIt) {
  Limits limits;
  limits.block_io.throttle_read_bps = {{{8, 0}, 1}};
  Facts facts;
  const auto on_v1 = plan_limits(limits, facts);
  EXPECT_THAT(on_v1.error().message,
              HasSubstr("linux.resources.blockIO: the cgroup controller blkio is not there"));
  EXPECT_THAT(on_v1.error().hint, HasSubstr("mount -t cgroup -o blkio"));
  facts.v2_shown = "/sys/fs/cgroup/x";
  EXPECT_THAT(plan_limits(limits, facts).error().hint,
              HasSubstr("\"io\" has to be in cgroup.subtree_control"));
}

TEST(Limits, NameTheControllersThatTheyNeed) {
  Limits limits;
  limits.memory.limit = 1;
  limits.memory.swappiness = 1;  // refused on v2, where memory is still needed for nothing else
  limits.cpu.cpus = "0";
  limits.block_io.throttle_read_bps = {{{8, 0}, 1}};
  limits.unified = {{"misc.max", "x 1"}, {"cgroup.max.depth", "1"}, {"bad", ""}};
  EXPECT_THAT(controllers_for(limits), UnorderedElementsAre("cpuset", "io", "misc"));
  limits.memory.swappiness.reset();
  EXPECT_THAT(controllers_for(limits), UnorderedElementsAre("cpuset", "io", "misc", "memory"));
}

}  // namespace
}  // namespace berth::cgroup
