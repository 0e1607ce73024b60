// A container's log on a disk that is full, and is not full any more.
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <unistd.h>

#include "../../support/scratch.h"
#include "monitor/log_file.h"
#include "sys/file.h"

namespace berth::monitor {
namespace {

class FullDisk : public ::testing::Test {
 protected:
  FullDisk() {
    EXPECT_EQ(::mount("tmpfs", scratch_.path().c_str(), "tmpfs", 0, "size=256k"), 0);
    directory_ = sys::open_at(AT_FDCWD, scratch_.path(), O_RDONLY | O_DIRECTORY).value();
  }
  ~FullDisk() override {
    directory_.reset();
    EXPECT_EQ(::umount2(scratch_.path().c_str(), MNT_DETACH), 0);
  }
  std::string text() {
    return sys::read_file_at(directory_.get(), log_file_name(0), size_t{1} << 20).value_or("");
  }
  // What is left of the disk, but for so many pages.
  void fill(size_t but) {
    const sys::UniqueFd file =
        sys::open_at(directory_.get(), "filler", O_WRONLY | O_CREAT | O_APPEND, 0600).value();
    const std::string page(4096, '.');
    while (sys::write_all(file.get(), page)) continue;
    struct stat st = sys::stat_at(file.get(), "", AT_EMPTY_PATH).value();
    ASSERT_EQ(::ftruncate(file.get(), st.st_size - static_cast<off_t>(but * 4096)), 0);
  }
  void make_room() { ASSERT_EQ(::unlinkat(directory_.get(), "filler", 0), 0); }

  test::Scratch scratch_;
  sys::UniqueFd directory_;
};

TEST_F(FullDisk, CostsOnlyWhatDoesNotFit) {
  LogFile log(directory_.get(), {});
  log.append(Stream::output, "before\n");
  fill(2);
  uint64_t sent = 0;
  for (int i = 0; i < 2000; ++i) {
    const std::string line = fmt::format("line {}\n", i);
    sent += line.size();
    log.append(Stream::output, line);
  }
  make_room();
  log.append(Stream::output, "after\n");
  uint64_t kept = 0;
  uint64_t lost = 0;
  const std::string whole = text();
  for (std::string_view rest = whole; !rest.empty();) {
    const size_t end = rest.find('\n');
    ASSERT_NE(end, std::string_view::npos);
    const auto entry = parse_log_entry(rest.substr(0, end));
    ASSERT_TRUE(entry) << rest.substr(0, end);
    if (entry->text.starts_with("line ")) kept += entry->text.size() + 1;
    if (entry->text.starts_with("berth: ")) lost += std::stoull(std::string(entry->text.substr(7)));
    rest.remove_prefix(end + 1);
  }
  EXPECT_GT(kept, 0U);
  EXPECT_GT(lost, 0U);
  EXPECT_EQ(kept + lost, sent);
  EXPECT_TRUE(whole.ends_with(" stdout F after\n"));
}

TEST_F(FullDisk, FromTheBeginning) {
  fill(0);
  LogFile log(directory_.get(), {});
  log.append(Stream::output, "lost\n");
  make_room();
  log.append(Stream::output, "after\n");
  EXPECT_NE(text().find("berth: 5 bytes were lost here"), std::string::npos) << text();
  EXPECT_TRUE(text().ends_with(" stdout F after\n"));
}

}  // namespace
}  // namespace berth::monitor
