#include "runtime_cli/ps_lines.h"

#include <vector>

#include <gtest/gtest.h>

namespace berth::runtime_cli {
namespace {

constexpr std::string_view kOutput =
    "UID        PID  PPID CMD\n"
    "root         1     0 init\n"
    "root        12     1 sh -c 7\n"
    "web        120    12 sleep 12\n";

std::string about(std::string_view output, const std::vector<pid_t>& processes) {
  const Result<std::string> lines = lines_about(output, processes);
  return lines ? *lines : lines.error().message;
}

TEST(PsLines, TheHeaderAndThoseOfTheProcesses) {
  EXPECT_EQ(about(kOutput, {12, 7, 9}), "UID        PID  PPID CMD\nroot        12     1 sh -c 7\n");
  EXPECT_EQ(about(kOutput, {}), "UID        PID  PPID CMD\n");
  EXPECT_EQ(about("  PID CMD\n   12 a", {12}), "  PID CMD\n   12 a\n");
}

TEST(PsLines, WithoutTheColumnItIsAnError) {
  EXPECT_EQ(about("CMD PPID\nsh 1\n", {1}),
            "what ps printed has no column PID, by which its lines are chosen");
  EXPECT_EQ(about("", {1}), "what ps printed has no column PID, by which its lines are chosen");
}

}  // namespace
}  // namespace berth::runtime_cli
