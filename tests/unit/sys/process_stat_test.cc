#include "sys/process_stat.h"

#include <cerrno>

#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace berth::sys {
namespace {

TEST(ProcessStat, IsReadWhateverTheNameLooksLike) {
  const ProcessStat before = read_process_stat(::getpid()).value();
  EXPECT_EQ(before.pid, ::getpid());
  EXPECT_EQ(before.state, 'R');
  EXPECT_GT(before.start, 0);
  ASSERT_EQ(::prctl(PR_SET_NAME, "a) Z 1 (b"), 0);
  const ProcessStat renamed = read_process_stat(::getpid()).value();
  EXPECT_EQ(renamed.state, 'R');
  EXPECT_EQ(renamed.start, before.start);
}

TEST(ProcessStat, AnEndedProcessIsOneUntilItIsWaitedFor) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(0);
  siginfo_t info{};
  ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT), 0);
  EXPECT_TRUE(read_process_stat(child).value().has_ended());
  ASSERT_EQ(::waitpid(child, nullptr, 0), child);
  EXPECT_EQ(read_process_stat(child).error().err, ESRCH);
}

}  // namespace
}  // namespace berth::sys
