// What is copied is the same to the last byte, and takes no more room.
#include "sys/copy_content.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "../../support/scratch.h"
#include "sys/file.h"

namespace berth::sys {
namespace {

class CopyContent : public testing::Test {
 protected:
  UniqueFd make(const std::string& name) const {
    return open_at(AT_FDCWD, scratch_.path() + "/" + name, O_RDWR | O_CREAT | O_TRUNC, 0600).value();
  }
  static struct stat status(const UniqueFd& file) { return stat_at(file.get(), "", AT_EMPTY_PATH).value(); }
  static std::string content(const UniqueFd& file) {
    ::lseek(file.get(), 0, SEEK_SET);
    return read_all(file.get(), size_t{64} << 20).value();
  }

  const test::Scratch scratch_;
};

// Not the same at any two places of a page, a buffer or a block.
std::string pattern(size_t size) {
  std::string text(size, '\0');
  for (size_t i = 0; i < size; ++i) text[i] = static_cast<char>('a' + i % 23);
  return text;
}

TEST_F(CopyContent, EverySizeIsWhole) {
  for (const size_t size : {size_t{0}, size_t{1}, size_t{4096}, size_t{4097}, size_t{65536}, size_t{65537},
                            (size_t{16} << 20) + 1}) {
    const UniqueFd from = make("from");
    ASSERT_TRUE(write_all(from.get(), pattern(size)));
    const UniqueFd to = make("to");
    const Result<> done = copy_content(from.get(), to.get(), status(from));
    ASSERT_TRUE(done) << done.error().message;
    EXPECT_TRUE(content(to) == pattern(size)) << size;
  }
}

TEST_F(CopyContent, HolesStayHoles) {
  const UniqueFd from = make("from");
  constexpr off_t kIsland = off_t{5} << 20;
  ASSERT_EQ(::pwrite(from.get(), "island", 6, kIsland), 6);
  ASSERT_EQ(::ftruncate(from.get(), 4 * kIsland), 0);
  const UniqueFd to = make("to");
  ASSERT_TRUE(copy_content(from.get(), to.get(), status(from)));
  EXPECT_EQ(status(to).st_size, 4 * kIsland);
  EXPECT_LE(status(to).st_blocks, status(from).st_blocks);
  EXPECT_TRUE(content(to) == content(from));
}

TEST_F(CopyContent, AFileThatIsNothingButAHole) {
  const UniqueFd from = make("from");
  ASSERT_EQ(::ftruncate(from.get(), off_t{1} << 30), 0);
  const UniqueFd to = make("to");
  ASSERT_TRUE(copy_content(from.get(), to.get(), status(from)));
  EXPECT_EQ(status(to).st_size, off_t{1} << 30);
  EXPECT_EQ(status(to).st_blocks, 0);
}

TEST_F(CopyContent, OneThatGetsShorterMeanwhileIsAnError) {
  for (const size_t size : {size_t{6000}, size_t{300'000}}) {
    const UniqueFd from = make("from");
    ASSERT_TRUE(write_all(from.get(), pattern(size)));
    struct stat attributes = status(from);
    // As if it had been that long when it was looked at.
    attributes.st_size *= 2;
    attributes.st_blocks *= 2;
    bool shared = true;  // where the file system shares blocks, nothing is read
    const auto note = [&] {
      shared = false;
      return false;
    };
    const Result<> done = copy_content(from.get(), make("to").get(), attributes, note);
    if (shared) continue;
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().message, "it has become shorter");
  }
}

TEST_F(CopyContent, StopsWhenItIsTold) {
  const UniqueFd from = make("from");
  ASSERT_TRUE(write_all(from.get(), pattern(size_t{40} << 20)));
  int asked = 0;
  const auto third_time = [&] { return ++asked == 3; };
  const Result<> done = copy_content(from.get(), make("to").get(), status(from), third_time);
  // A file system that shares blocks is done before it could be asked.
  if (asked == 0) return;
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().message, "interrupted");
  EXPECT_EQ(asked, 3);
}

}  // namespace
}  // namespace berth::sys
