#include "lifecycle/traces.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace berth::lifecycle {
namespace {

constexpr const char* kText =
    "berth-runtime container\n"
    "cgroup-path /engine/web\n"
    "pid 4321 98765\n"
    "cgroup 17::/engine/web\n"
    "cgroup 40:cpu,cpuacct:/engine/web\n";

Record record_of_text() {
  Record record;
  record.pid = 4321;
  record.pid_start = 98765;
  record.cgroup_path = "/engine/web";
  record.cgroup = "17::/engine/web\n40:cpu,cpuacct:/engine/web\n";
  return record;
}

// Containers that an earlier version has made are found by this text: it must not change.
TEST(Traces, AreWrittenInTheFormThatStays) {
  EXPECT_EQ(traces_text(record_of_text()), kText);
  Record early;
  early.cgroup_path = "relative";
  EXPECT_EQ(traces_text(early), "berth-runtime container\ncgroup-path relative\n");
}

TEST(Traces, AreRead) {
  const auto read = parse_traces(kText);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->pid, 4321);
  EXPECT_EQ(read->pid_start, 98765);
  EXPECT_EQ(read->cgroup_path, "/engine/web");
  EXPECT_EQ(read->cgroup, record_of_text().cgroup);
  EXPECT_EQ(parse_traces("berth-runtime container\n")->pid, 0);
}

TEST(Traces, OfALaterVersionAreReadWithoutWhatIsNew) {
  const auto read = parse_traces(std::string(kText) + "unit berth-web.scope\nnew\n\n");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->pid, 4321);
}

TEST(Traces, WhoseEndIsMissingNameNobodyElse) {
  const std::string text(kText);
  for (size_t length = 0; length < text.size(); ++length) {
    const auto read = parse_traces(text.substr(0, length));
    if (!read) continue;
    EXPECT_THAT(read->pid, testing::AnyOf(0, 4321)) << length;
    EXPECT_THAT(read->cgroup_path, testing::AnyOf("", "/engine/web")) << length;
    EXPECT_TRUE(record_of_text().cgroup.starts_with(read->cgroup)) << length;
  }
}

TEST(Traces, OfNobodyAreRefused) {
  const std::string first = "berth-runtime container\n";
  for (const char* line : {"pid 0 5\n", "pid -1 5\n", "pid 1\n", "pid 1 x\n", "pid 99999999999 1\n",
                           "cgroup-path /a/../..\n", "cgroup-path \n", "cgroup x:y:/a\n", "cgroup 1::a\n"}) {
    EXPECT_EQ(parse_traces(first + line).error().code, Code::refused) << line;
  }
  for (const char* text : {"", "\n", "berth-runtime containe", "something else\npid 1 2\n"})
    EXPECT_EQ(parse_traces(text).error().code, Code::refused) << text;
}

}  // namespace
}  // namespace berth::lifecycle
