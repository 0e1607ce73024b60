#include "cgroup/membership.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace berth::cgroup {
namespace {

TEST(Memberships, AreInTheOrderOfTheText) {
  const auto found = parse_memberships("4:cpu,cpuacct:/a:b/c d\n1:name=systemd:/\n0::/../x\n").value();
  ASSERT_EQ(found.size(), 3U);
  EXPECT_EQ(found[0].number, 4U);
  EXPECT_EQ(found[0].key, "cpu,cpuacct");
  EXPECT_EQ(found[0].path, "/a:b/c d");
  EXPECT_FALSE(found[1].v2());
  EXPECT_TRUE(found[2].v2());
  EXPECT_EQ(found[2].path, "/../x");
}

TEST(Memberships, OfWhatIsNoneAreRefused) {
  for (const char* text : {"x", "::/", "0:", "0::", "0::a", "-1::/", "0::/\nnone"})
    EXPECT_FALSE(parse_memberships(text)) << text;
  EXPECT_TRUE(parse_memberships("").value().empty());
}

}  // namespace
}  // namespace berth::cgroup
