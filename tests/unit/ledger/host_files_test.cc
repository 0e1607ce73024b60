#include "ledger/host_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace berth::ledger {
namespace {

using idmap::IdRange;
using testing::ElementsAre;
using testing::IsEmpty;

TEST(HostFiles, AccountsGiveTheirIds) {
  std::vector<IdRange> ranges;
  add_account_ids("root:x:0:0:root:/root:/bin/sh\nldap:x:600000:600001::/:/bin/sh\nbad\nworse:x:-1:y\n",
                  false, ranges);
  EXPECT_THAT(ranges,
              ElementsAre(IdRange{0, 1}, IdRange{0, 1}, IdRange{600000, 600001}, IdRange{600001, 600002}));
  ranges.clear();
  add_account_ids("wheel:x:10:a,b\nx:x:4294967295:\nno-end:x:11", true, ranges);
  EXPECT_THAT(ranges, ElementsAre(IdRange{10, 11}, IdRange{11, 12}));
}

TEST(HostFiles, SubordinateRangesAreCutAtTheLastId) {
  std::vector<IdRange> ranges;
  add_subordinate_ranges(
      "ann:524288:65536\ncontainers:2147483647:4294967295\nberth:1000000:65536\nx:1\ny:a:2\nz:"
      "18446744073709551616:1\n",
      "berth", ranges);
  EXPECT_THAT(ranges, ElementsAre(IdRange{524288, 589824}, IdRange{2147483647, 4294967295}));
}

TEST(HostFiles, NameServicesBesideTheFilesAreSeen) {
  EXPECT_FALSE(name_services("passwd: files\ngroup:\tfiles\nhosts: files dns\n").others);
  EXPECT_FALSE(name_services("passwd: files systemd\n").others);
  EXPECT_TRUE(name_services("passwd: files systemd\n").systemd);
  EXPECT_TRUE(name_services("passwd: files\n group : files [NOTFOUND=return] sss\n").others);
  EXPECT_FALSE(name_services("passwd: files # sss\nnetgroup: nis\n").others);
  EXPECT_FALSE(name_services("").systemd);
}

}  // namespace
}  // namespace berth::ledger
