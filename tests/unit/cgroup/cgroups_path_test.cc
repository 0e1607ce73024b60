// What a cgroupsPath means, and what is none.
#include "cgroup/cgroups_path.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cgroup/cgroup.h"

namespace berth::cgroup {
namespace {

using testing::ElementsAre;

TEST(CgroupsPath, AbsoluteAndRelative) {
  const CgroupsPath absolute = parse_cgroups_path("/pods//one/./ctr/").value();
  EXPECT_TRUE(absolute.absolute);
  EXPECT_THAT(absolute.parts, ElementsAre("pods", "one", "ctr"));
  EXPECT_EQ(absolute.text(), "/pods/one/ctr");
  const CgroupsPath relative = parse_cgroups_path("a/b").value();
  EXPECT_FALSE(relative.absolute);
  EXPECT_EQ(relative.text(), "a/b");
}

TEST(CgroupsPath, WhatWouldLeaveOrConfuseIsRefused) {
  std::string deep;
  for (int i = 0; i < 65; ++i) deep += "/a";
  for (const std::string& text :
       {std::string(""), std::string("/"), std::string("./."), std::string("/a/../b"), std::string(".."),
        std::string("/a\nb"), std::string("/a\0b", 4), "/" + std::string(256, 'x'), std::string(5000, 'x'),
        deep}) {
    const auto path = parse_cgroups_path(text);
    ASSERT_FALSE(path) << text;
    EXPECT_EQ(path.error().code, Code::refused);
  }
}

TEST(SystemdPath, SliceAndScope) {
  const SystemdPath path = parse_systemd_path("machine-web.slice:libpod:0123").value();
  EXPECT_EQ(path.slice, "machine-web.slice");
  EXPECT_EQ(path.unit, "libpod-0123.scope");
  EXPECT_EQ(path.path().text(), "/machine.slice/machine-web.slice/libpod-0123.scope");
}

TEST(SystemdPath, DefaultsAndSlicesAsUnits) {
  EXPECT_EQ(parse_systemd_path(":runc:x").value().path().text(), "/system.slice/runc-x.scope");
  EXPECT_EQ(parse_systemd_path("-.slice:runc:x").value().path().text(), "/runc-x.scope");
  EXPECT_EQ(parse_systemd_path("a.slice::x").value().unit, "x.scope");
  EXPECT_EQ(parse_systemd_path("a.slice:p:pod.slice").value().unit, "pod.slice");
}

TEST(SystemdPath, WhatSystemdWouldNotTakeIsRefused) {
  for (const char* text : {"", "a.slice", "a.slice:b", "a.slice:b:c:d", "a:b:c", ".slice:b:c", "x:b:c",
                           "a/b.slice:p:n", "--.slice:p:n", "a--b.slice:p:n", "-a.slice:p:n", "a-.slice:p:n",
                           "a.slice:p:", "a.slice:p/q:n", "a.slice:p:n@1", "../a.slice:p:n"}) {
    EXPECT_FALSE(parse_systemd_path(text)) << text;
  }
  std::string deep = "a";
  while (deep.size() < 200) deep += "-a";
  EXPECT_FALSE(parse_systemd_path(deep + ".slice:p:x")) << "its path is longer than one can be";
}

TEST(Record, IsReadAsItWasWritten) {
  const std::vector<RecordEntry> record = {{"", "/a/b", 17},
                                           {"cpu,cpuacct", "/kube:pod/x", 18446744073709551615U}};
  EXPECT_EQ(record_text(record), "17::/a/b\n18446744073709551615:cpu,cpuacct:/kube:pod/x\n");
  EXPECT_EQ(parse_record(record_text(record)).value(), record);
}

TEST(Record, WhatWasNotWrittenSoIsRefused) {
  for (const char* text :
       {"1::/a", "x::/a\n", "1:/a\n", "1::a\n", "1::/a/../b\n", "1::/\n", "1::/a//b\n", "-1::/a\n"}) {
    EXPECT_FALSE(parse_record(text)) << text;
  }
  EXPECT_TRUE(parse_record("").value().empty());
}

}  // namespace
}  // namespace berth::cgroup
