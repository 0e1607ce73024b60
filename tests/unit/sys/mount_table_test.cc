// Lines of /proc/PID/mountinfo.
#include "sys/mount_table.h"

#include <algorithm>

#include <gtest/gtest.h>

namespace berth::sys {
namespace {

TEST(MountTable, ReadsALine) {
  const MountEntry entry =
      parse_mount_entry("36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue")
          .value();
  EXPECT_EQ(entry.id, 36U);
  EXPECT_EQ(entry.parent, 35U);
  EXPECT_EQ(entry.root, "/mnt1");
  EXPECT_EQ(entry.place, "/mnt2");
  EXPECT_EQ(entry.type, "ext3");
  EXPECT_EQ(entry.options, "rw,errors=continue");
  EXPECT_EQ(entry.mount_options, "rw,noatime");
}

TEST(MountTable, UndoesWhatTheKernelEscapes) {
  const MountEntry entry = parse_mount_entry(R"(1 2 0:3 / /a\040b\134c\ rw - fuse.x\011y none rw)").value();
  EXPECT_EQ(entry.place, "/a b\\c\\");
  EXPECT_EQ(entry.type, "fuse.x\ty");
}

TEST(MountTable, RefusesWhatIsNone) {
  for (const char* line : {"", "36 35 98:0 / /x rw", "1 2 - ext4 x rw", " - "})
    EXPECT_FALSE(parse_mount_entry(line)) << line;
}

TEST(MountTable, TheProcessHasARoot) {
  const auto table = read_mount_table().value();
  EXPECT_TRUE(std::any_of(table.begin(), table.end(), [](const auto& entry) { return entry.place == "/"; }));
}

}  // namespace
}  // namespace berth::sys
