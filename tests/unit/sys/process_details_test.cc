#include "sys/process_details.h"

#include <gtest/gtest.h>
#include <unistd.h>

namespace berth::sys {
namespace {

TEST(ProcessDetails, AreReadFromTheTextsOfProc) {
  const auto details = parse_process_details(
      "Name:\tx\nUid:\t1\t2\t3\t4\nGid:\t5\t6\t7\t8\nGroups:\t9 10 \nNSpid:\t100\t7\t1\nVmRSS:\t     12 kB\n"
      "CapInh:\t0000000000000000\nCapEff:\t00000000a80425fb\nSeccomp:\t2\n",
      "100 (a ) S (b) c) S 50 60 70 34816 100 0 0 0 0 0 11 12 0 0 20 -5 1 0 9999 4096 3 0\n");
  ASSERT_TRUE(details);
  EXPECT_EQ(details->pid, 100);
  EXPECT_EQ(details->name, "a ) S (b) c");
  EXPECT_EQ(details->state, 'S');
  EXPECT_EQ(details->parent, 50);
  EXPECT_EQ(details->group, 60);
  EXPECT_EQ(details->tty, 34816U);
  EXPECT_EQ(details->user_time, 11);
  EXPECT_EQ(details->system_time, 12);
  EXPECT_EQ(details->nice, -5);
  EXPECT_EQ(details->start, 9999);
  EXPECT_EQ(details->virtual_memory, 4096);
  EXPECT_EQ(details->resident_memory, 12 * 1024);
  EXPECT_EQ(details->uids, (std::array<uint32_t, 4>{1, 2, 3, 4}));
  EXPECT_EQ(details->gids, (std::array<uint32_t, 4>{5, 6, 7, 8}));
  EXPECT_EQ(details->groups, (std::vector<uint32_t>{9, 10}));
  EXPECT_EQ(details->pids, (std::vector<pid_t>{100, 7, 1}));
  EXPECT_EQ(details->capabilities[2], 0xa80425fbU);
  EXPECT_EQ(details->seccomp, 2);
}

TEST(ProcessDetails, AreNotReadFromAnythingElse) {
  for (const char* stat : {"", "x", "1", "1 (x", "1 x) S 1", ") (", "x (y) S 1"})
    EXPECT_FALSE(parse_process_details("", stat)) << stat;
  const auto shortened = parse_process_details("Uid:\t1\nGroups:\tx\nNSpid:\n", "1 (x) S");
  ASSERT_TRUE(shortened);
  EXPECT_EQ(shortened->pids, (std::vector<pid_t>{1}));
  EXPECT_EQ(shortened->uids[0], 1U);
}

TEST(ProcessDetails, OfThisProcess) {
  const auto details = read_process_details(::getpid());
  ASSERT_TRUE(details);
  EXPECT_EQ(details->parent, ::getppid());
  EXPECT_EQ(details->uids[0], ::getuid());
  EXPECT_NE(details->arguments.find("unit_sys"), std::string::npos);
}

}  // namespace
}  // namespace berth::sys
