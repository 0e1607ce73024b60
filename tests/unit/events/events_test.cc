#include "events/events.h"

#include <thread>

#include <gtest/gtest.h>

#include "../../support/scratch.h"
#include "sys/file.h"

namespace berth::events {
namespace {

class Events : public ::testing::Test {
 protected:
  Events() : root_(sys::open_at(AT_FDCWD, scratch_.path(), O_PATH | O_DIRECTORY).value()) {}
  std::string text(const char* file) {
    return sys::read_file_at(root_.get(), std::string(kDirectory) + "/" + file, size_t{64} << 20)
        .value_or("");
  }
  test::Scratch scratch_;
  sys::UniqueFd root_;
};

Event started(std::string name) {
  return {.action = kStart, .id = "c0ffee", .name = std::move(name), .image = "busybox", .time = 7};
}

TEST_F(Events, AreALineEach) {
  EXPECT_EQ(line({.type = Type::volume,
                  .action = kCreate,
                  .id = "data",
                  .name = "data",
                  .attributes = {{"a", "1"}, {"b", "2"}},
                  .time = 42}),
            R"({"time":42,"type":"volume","action":"create","id":"data","name":"data","image":"",)"
            R"("attributes":{ "a":"1","b":"2"}})"
            "\n");
}

TEST_F(Events, TakeWhateverALabelHolds) {
  const std::string hostile = std::string("\"}\n\x1b[2J{\"time\":\\\xff\xc2\x9b", 19) + '\0';
  const std::string text = line({.action = kCreate, .attributes = {{"k", hostile}}, .time = 1});
  EXPECT_EQ(text.find('\n'), text.size() - 1);
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  EXPECT_EQ(text.find('\0'), std::string::npos);
  EXPECT_EQ(text.rfind(kLineBegin), 0U) << "the begin of a line occurs inside of it: " << text;
  EXPECT_NE(text.find(R"("k":"\u0022}\u000a\u001b[2J{\u0022time\u0022:\u005c\\xff\\xc2\\x9b\u0000")"),
            std::string::npos)
      << text;
}

TEST_F(Events, LeaveOutAttributesThatAreTooLong) {
  const std::string text =
      line({.action = kCreate, .attributes = {{"a", "1"}, {"b", std::string(kLongestLine, 'x')}}, .time = 1});
  EXPECT_LE(text.size(), kLongestLine);
  EXPECT_TRUE(text.ends_with("\"attributes\":{ \"a\":\"1\"}}\n"));
}

TEST_F(Events, AreAppended) {
  ASSERT_TRUE(append(root_.get(), started("one")));
  ASSERT_TRUE(append(root_.get(), started("two")));
  EXPECT_EQ(text(kCurrentFile), line(started("one")) + line(started("two")));
}

TEST_F(Events, AreBounded) {
  ASSERT_TRUE(append(root_.get(), started("old")));
  const std::string current = scratch_.path() + "/events/current";
  ASSERT_EQ(::truncate(current.c_str(), kLargestFile), 0);
  ASSERT_TRUE(append(root_.get(), started("new")));
  EXPECT_EQ(text(kCurrentFile), line(started("new")));
  EXPECT_EQ(text(kPreviousFile).size(), size_t{kLargestFile});
}

TEST_F(Events, OfSeveralWritersDoNotMixAndAreNotLost) {
  constexpr int kWriters = 4;
  constexpr int kEach = 2000;
  ASSERT_TRUE(append(root_.get(), started("first")));
  // So that one of them is to put the file aside.
  const std::string current = scratch_.path() + "/events/current";
  const int64_t filled = kLargestFile - 100'000;
  ASSERT_EQ(::truncate(current.c_str(), filled), 0);
  std::vector<std::thread> writers;
  for (int writer = 0; writer < kWriters; ++writer) {
    writers.emplace_back([&] {
      for (int i = 0; i < kEach; ++i) ASSERT_TRUE(append(root_.get(), started("w")));
    });
  }
  for (std::thread& writer : writers) writer.join();
  const std::string all = text(kPreviousFile).substr(size_t(filled)) + text(kCurrentFile);
  const std::string each = line(started("w"));
  ASSERT_EQ(all.size(), each.size() * kWriters * kEach);
  for (size_t at = 0; at < all.size(); at += each.size()) ASSERT_EQ(all.compare(at, each.size(), each), 0);
}

}  // namespace
}  // namespace berth::events
