#include "cli/table.h"

#include <gmock/gmock.h>

namespace berth::cli {
namespace {

TEST(Table, IsAsWideAsItsWidestCellsAndHasNoSpacesAtTheEnd) {
  EXPECT_EQ(table({{"ID", "NAME"}, {"123456", "a"}, {"7", ""}}),
            "ID      NAME\n"
            "123456  a\n"
            "7\n");
  EXPECT_EQ(table({}), "");
}

TEST(Table, LetsNoCellMoveTheCursor) {
  EXPECT_EQ(table({{"A", "B"}, {"x\ny", "\x1b[2J"}}),
            "A       B\n"
            "x\\x0ay  \\x1b[2J\n");
}

TEST(Table, ColumnsOfATemplateStandAtItsTabs) {
  EXPECT_THAT(split_at_tabs("a\t\tb"), testing::ElementsAre("a", "", "b"));
  EXPECT_THAT(split_at_tabs(""), testing::ElementsAre(""));
}

}  // namespace
}  // namespace berth::cli
