// What openat2(2) finds and refuses, the walk that stands in for it finds and refuses too.
#include "sys/open_by_walk.h"

#include <atomic>
#include <cerrno>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../../support/scratch.h"
#include "sys/file.h"

namespace berth::sys {
namespace {

// Which file it is, or why there is none.
std::string outcome(const Result<UniqueFd>& opened) {
  if (!opened) return describe_errno(opened.error().err);
  struct stat st{};
  if (::fstat(opened->get(), &st) != 0) return "can't be looked at";
  return fmt::format("{}:{}", st.st_dev, st.st_ino);
}

std::string by_kernel(int dirfd, const std::string& path, uint64_t flags, uint64_t resolve) {
  open_how how{};
  how.flags = flags | O_CLOEXEC;
  how.resolve = resolve;
  const long fd = ::syscall(SYS_openat2, dirfd, path.c_str(), &how, sizeof how);
  if (fd < 0) return describe_errno(errno);
  return outcome(UniqueFd(static_cast<int>(fd)));
}

struct Choice {
  const char* name;
  uint64_t value;
};
const std::vector<Choice> kResolve{
    {"in root", RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS},
    {"in root, no links", RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS},
    {"beneath", RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS},
    {"beneath, no links, one mount", RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV},
    {"anywhere, no links", RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS},
    {"anywhere", RESOLVE_NO_MAGICLINKS}};
const std::vector<Choice> kFlags{{"path", O_PATH},
                                 {"path of the link", O_PATH | O_NOFOLLOW},
                                 {"directory", O_RDONLY | O_DIRECTORY},
                                 {"no link", O_RDONLY | O_NOFOLLOW},
                                 {"reading", O_RDONLY}};

class OpenByWalk : public testing::Test {
 protected:
  OpenByWalk() {
    for (const char* name : {"root", "root/dir", "root/dir/sub", "outside"})
      ::mkdir((scratch_.path() + "/" + name).c_str(), 0755);
    for (const char* name : {"root/file", "root/dir/sub/deep", "outside/file", "outside/secret"})
      open_at(AT_FDCWD, scratch_.path() + "/" + name, O_WRONLY | O_CREAT, 0644).value();
    root_ = open_at(AT_FDCWD, scratch_.path() + "/root", O_PATH | O_DIRECTORY).value();
    link("/file", "absolute");
    link("/dir/sub", "to_directory");
    link("../../../file", "up");
    link("../outside/secret", "out");
    link(scratch_.path() + "/outside/secret", "out_absolute");
    link("dir/", "with_slash");
    link("file/", "file_with_slash");
    link("loop", "loop");
    link("nothing", "dangling");
    link("..", "dir/back");
    link("../../absolute", "dir/sub/chain");
    link("file", "link0");
    for (int i = 1; i <= 41; ++i) link(fmt::format("link{}", i - 1), fmt::format("link{}", i));
  }

  void link(const std::string& target, const std::string& name) const {
    ASSERT_EQ(::symlinkat(target.c_str(), root_.get(), name.c_str()), 0) << name;
  }

  void compare(int dirfd, const std::vector<std::string>& paths) {
    for (const std::string& path : paths) {
      for (const Choice& resolve : kResolve) {
        for (const Choice& flags : kFlags) {
          SCOPED_TRACE(fmt::format("{}: {}, {}", path, resolve.name, flags.name));
          EXPECT_EQ(outcome(open_by_walk(dirfd, path, flags.value, 0, resolve.value)),
                    by_kernel(dirfd, path, flags.value, resolve.value));
        }
      }
    }
  }

  const test::Scratch scratch_;
  UniqueFd root_;
};

TEST_F(OpenByWalk, FindsAndRefusesWhatTheKernelDoes) {
  compare(root_.get(), {".",
                        "",
                        "/",
                        "file",
                        "/file",
                        "//dir//sub/./deep",
                        "dir/",
                        "dir/.",
                        "file/",
                        "file/.",
                        "file/more",
                        "nothing",
                        "nothing/more",
                        "dir/..",
                        "dir/../file",
                        "dir/sub/../../file",
                        "nothing/..",
                        "..",
                        "../root/file",
                        "../../../../../../../../../../file",
                        "absolute",
                        "to_directory",
                        "to_directory/deep",
                        "to_directory/../sub/deep",
                        "to_directory/..",
                        "up",
                        "out",
                        "out_absolute",
                        "with_slash",
                        "with_slash/sub",
                        "file_with_slash",
                        "loop",
                        "loop/more",
                        "dangling",
                        "dir/back/file",
                        "dir/back/../file",
                        "dir/sub/chain",
                        "link38",
                        "link39",
                        "link40",
                        "link41"});
}

TEST_F(OpenByWalk, TheLinksOfProcAreNotFollowed) {
  const UniqueFd proc = open_at(AT_FDCWD, "/proc", O_PATH | O_DIRECTORY).value();
  compare(proc.get(), {"self", "self/stat", "self/exe", "self/root", "self/root/etc", "self/cwd",
                       "self/ns/mnt", "self/fd/0", "mounts", "thread-self/stat", "sys/kernel/ostype"});
}

TEST_F(OpenByWalk, AnotherMountIsNotEntered) {
  const UniqueFd top = open_at(AT_FDCWD, "/", O_PATH | O_DIRECTORY).value();
  compare(top.get(), {"proc", "proc/version", "proc/..", "proc/../etc", "/proc"});
}

TEST_F(OpenByWalk, MakesFilesInsideOnly) {
  constexpr uint64_t kMake = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW;
  constexpr uint64_t kInRoot = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
  EXPECT_TRUE(open_by_walk(root_.get(), "/dir/../new", kMake, 0600, kInRoot));
  EXPECT_EQ(stat_at(root_.get(), "new", 0).value().st_mode & 07777U, 0600U);
  for (const char* there : {"new", "file", "dangling", "out"})
    EXPECT_EQ(open_by_walk(root_.get(), there, kMake, 0600, kInRoot).error().err, EEXIST) << there;
  EXPECT_TRUE(open_by_walk(root_.get(), "dangling", O_WRONLY | O_CREAT, 0600, kInRoot));
  EXPECT_TRUE(exists_at(root_.get(), "nothing")) << "where the link leads";
}

TEST_F(OpenByWalk, StaysInsideWhileSomebodyRenames) {
  const std::string place = scratch_.path() + "/root/";
  const std::string secret = outcome(open_at(AT_FDCWD, scratch_.path() + "/outside/secret", O_PATH));
  link("../outside", "swap");
  std::atomic<bool> over = false;
  std::thread renamer([&] {
    while (!over) {
      // dir is a directory and a link that leads out by turns, and its subdirectory is at two depths.
      ::renameat2(AT_FDCWD, (place + "dir").c_str(), AT_FDCWD, (place + "swap").c_str(), RENAME_EXCHANGE);
      ::rename((place + "dir/sub").c_str(), (place + "sub").c_str());
      ::rename((place + "sub").c_str(), (place + "dir/sub").c_str());
    }
  });
  for (int i = 0; i < 5000; ++i) {
    for (const char* path :
         {"dir/secret", "dir/sub/../secret", "dir/sub/../../outside/secret", "swap/secret"}) {
      for (const uint64_t resolve : {uint64_t{RESOLVE_IN_ROOT}, uint64_t{RESOLVE_BENEATH}})
        EXPECT_NE(outcome(open_by_walk(root_.get(), path, O_PATH, 0, resolve)), secret) << path;
    }
  }
  over = true;
  renamer.join();
}

}  // namespace
}  // namespace berth::sys
