#include "engine/audit/id_files.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace berth::engine {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// "LINE NAME BEGIN-END" of each.
std::vector<std::string> read(std::string_view text, IdFile file) {
  std::vector<std::string> lines;
  for (const IdLine& line : read_id_lines(text, file)) {
    lines.push_back(fmt::format("{} {} {}-{}", line.line, line.name, line.ids.begin, line.ids.end));
  }
  return lines;
}

TEST(IdFiles, AccountsWithTheirLines) {
  EXPECT_THAT(read("root:x:0:0::/root:/bin/sh\n\n# a comment:x:7:7\nann:x:1000:100::/:", IdFile::passwd),
              ElementsAre("1 root 0-1", "4 ann 1000-1001"));
  EXPECT_THAT(read("root:x:0:\ncrew:x:50:ann,ben\n", IdFile::group),
              ElementsAre("1 root 0-1", "2 crew 50-51"));
}

TEST(IdFiles, SubordinateRanges) {
  EXPECT_THAT(read("ann:100000:65536\n1001:200000:10\n", IdFile::subuid),
              ElementsAre("1 ann 100000-165536", "2 1001 200000-200010"));
}

TEST(IdFiles, LinesThatSayNothingArePassedOver) {
  for (const char* text :
       {"", "\n\n", "ann", "ann:", "ann:x", "ann:x:", "ann:x:-1:0", "ann:x: 1:0", "ann:x:1a:0", ":x:1:1",
        "ann:x:4294967295:0", "ann:x:99999999999999999999:0", "+::::::"}) {
    EXPECT_THAT(read(text, IdFile::passwd), IsEmpty()) << text;
  }
  for (const char* text :
       {"ann:1", "ann:1:", "ann:1:0", "ann::1", "ann:1:2:3", "ann:4294967295:1", "ann:1:-1"}) {
    EXPECT_THAT(read(text, IdFile::subuid), IsEmpty()) << text;
  }
}

TEST(IdFiles, ARangeEndsWithTheLastId) {
  EXPECT_THAT(read("ann:4294967290:18446744073709551615\n", IdFile::subgid),
              ElementsAre("1 ann 4294967290-4294967295"));
}

}  // namespace
}  // namespace berth::engine
