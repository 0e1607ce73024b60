#include "base/error.h"

#include <gtest/gtest.h>

namespace berth {
namespace {

TEST(Error, ErrnoIsNamedAndDescribed) {
  const Error error = fail_errno(1, "mount {}", "/proc").error();
  EXPECT_EQ(error.message, "mount /proc: EPERM (Operation not permitted)");
  EXPECT_EQ(error.err, 1);
}

TEST(Error, ContextGoesInFront) {
  Error error = fail("no space").error();
  EXPECT_EQ(std::move(error).context("pull x").message, "pull x: no space");
}

TEST(Error, ExitStatusesArePodmansAndDockers) {
  EXPECT_EQ(exit_status(Code::usage), 125);
  EXPECT_EQ(exit_status(Code::not_executable), 126);
  EXPECT_EQ(exit_status(Code::command_not_found), 127);
}

TEST(Error, HostileTextCannotReachTheTerminal) {
  EXPECT_EQ(printable("a\x1b[31mb"), "a\\x1b[31mb");
  EXPECT_EQ(printable("h\xc3\xa9"), "h\xc3\xa9");
  EXPECT_EQ(printable("\xc2\x9b"
                      "31m"),
            "\\xc2\\x9b31m")
      << "a C1 control sequence introducer";
  EXPECT_EQ(printable("\xc0\xaf\xff"), "\\xc0\\xaf\\xff") << "overlong and invalid bytes";
}

TEST(Error, RenderHasAHintLine) {
  const Error error{Code::failed, 0, "cannot start \"web\": x", "Try y."};
  EXPECT_EQ(render("berth", error), "berth: cannot start \"web\": x\nhint: Try y.\n");
}

}  // namespace
}  // namespace berth
