// Whether a container has all the IDs of the one whose volumes it takes.
#include "engine/volumes/volumes_from.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace berth::engine {
namespace {

using testing::HasSubstr;

std::string check(std::string_view exporter, std::string_view importer) {
  const Result<> held = check_holds("UIDs", "web", exporter, importer);
  return held ? "" : held.error().message;
}

TEST(VolumesFrom, TheImporterNeedsAllIdsThatTheExporterHas) {
  EXPECT_EQ(check("0 1048576 65536\n", "0 2097152 65536\n"), "") << "on the host they may be others";
  EXPECT_EQ(check("0 1048576 65536\n", "0 2097152 131072\n"), "");
  EXPECT_EQ(check("0 1048576 10\n20 1048596 10\n", "0 2097152 20\n20 3145728 20\n"), "");
  EXPECT_THAT(check("0 1048576 131072\n", "0 2097152 65536\n"), HasSubstr("UIDs 65536 to 131071"));
  EXPECT_THAT(check("0 1 10\n", "0 1 5\n6 7 10\n"), HasSubstr("web has UIDs 5 to 5"));
}

TEST(VolumesFrom, TheHostsIdsAreAllThereAre) {
  EXPECT_EQ(check("", ""), "");
  EXPECT_EQ(check("0 1048576 65536\n", ""), "");
  EXPECT_THAT(check("", "0 1048576 65536\n"), HasSubstr("65536 to 4294967294"));
}

}  // namespace
}  // namespace berth::engine
