// A stack read by descriptors is what the kernel's overlayfs shows of the same layers.
#include "store/layer_stack.h"

#include <filesystem>
#include <fstream>
#include <set>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "../../support/scratch.h"
#include "store/image_path.h"
#include "sys/file.h"

namespace berth::store {
namespace {

using testing::HasSubstr;

class Stack : public testing::Test {
 protected:
  void SetUp() override {
    for (const char* name : {"merged", "0", "1", "2"}) {
      ASSERT_EQ(::mkdir((scratch_.path() + "/" + name).c_str(), 0755), 0);
    }
  }
  [[nodiscard]] std::string at(const std::string& path) const { return scratch_.path() + "/" + path; }
  void dir(const std::string& path, mode_t mode = 0755) {
    ASSERT_EQ(::mkdir(at(path).c_str(), mode), 0) << path;
    ASSERT_EQ(::chmod(at(path).c_str(), mode), 0);
  }
  void opaque(const std::string& path) {
    ASSERT_EQ(::setxattr(at(path).c_str(), "trusted.overlay.opaque", "y", 1, 0), 0);
  }
  void file(const std::string& path, std::string_view text) { std::ofstream(at(path)) << text; }
  void link(const std::string& path, const std::string& target) {
    ASSERT_EQ(::symlink(target.c_str(), at(path).c_str()), 0);
  }
  void whiteout(const std::string& path) {
    ASSERT_EQ(::mknod(at(path).c_str(), S_IFCHR, makedev(0, 0)), 0) << path;
  }
  // Everything that can lie on top of everything else.
  void make_layers() {
    int number = 0;
    for (const char lower : {'d', 'f', 'l', 'w', '-'}) {
      for (const char middle : {'d', 'o', 'f', 'l', 'w', '-'}) {
        for (const char upper : {'d', 'o', 'f', 'l', 'w', '-'}) {
          const std::string name = std::to_string(++number);
          make('0', lower, name);
          make('1', middle, name);
          make('2', upper, name);
        }
      }
    }
  }
  void make(char layer, char kind, const std::string& name) {
    const std::string path = std::string(1, layer) + "/" + name;
    if (kind == 'd' || kind == 'o') {
      dir(path, layer == '0' ? 0700 : layer == '1' ? 0750 : 0755);
      ASSERT_EQ(::chown(at(path).c_str(), 100U + static_cast<uid_t>(layer), 7), 0);
      file(path + "/of-" + layer, "x");
      file(path + "/of-all", std::string(static_cast<size_t>(layer - '0') + 1, 'y'));
    }
    if (kind == 'o') opaque(path);
    if (kind == 'f') file(path, std::string(10U + static_cast<size_t>(layer - '0'), 'z'));
    if (kind == 'l') link(path, std::string("to-") + layer);
    if (kind == 'w') whiteout(path);
  }
  LayerStack stack() {
    std::vector<sys::UniqueFd> layers;
    for (const char* name : {"0", "1", "2"})
      layers.push_back(sys::open_at(AT_FDCWD, at(name), O_RDONLY | O_DIRECTORY).value());
    return LayerStack(std::move(layers));
  }
  // For this process only; ctest gives each test its own.
  void mount_overlay() {
    ASSERT_EQ(::unshare(CLONE_NEWNS), 0);
    ASSERT_EQ(::mount("", "/", nullptr, MS_REC | MS_PRIVATE, nullptr), 0);
    const std::string options = "lowerdir=" + at("2") + ":" + at("1") + ":" + at("0");
    ASSERT_EQ(::mount("overlay", at("merged").c_str(), "overlay", MS_RDONLY, options.c_str()), 0);
  }
  std::set<std::string> names() {
    std::set<std::string> found;
    for (const char* layer : {"0", "1", "2"}) {
      for (const auto& entry : std::filesystem::recursive_directory_iterator(at(layer)))
        found.insert(std::filesystem::relative(entry.path(), at(layer)).string());
    }
    return found;
  }

  test::Scratch scratch_;
};

std::string describe(const struct stat& st) {
  return fmt::format("{:o} {}:{} {}", st.st_mode, st.st_uid, st.st_gid, S_ISDIR(st.st_mode) ? 0 : st.st_size);
}

TEST_F(Stack, ShowsWhatOverlayfsShows) {
  make_layers();
  mount_overlay();
  const LayerStack layers = stack();
  const StackEntry root = layers.root().value();
  size_t present = 0;
  for (const std::string& name : names()) {
    struct stat expected{};
    const bool there = ::lstat(at("merged/" + name).c_str(), &expected) == 0;
    std::string found = "nothing";
    const size_t slash = name.find('/');
    auto entry = root.directory->look_up(name.substr(0, slash)).value();
    if (entry && slash != std::string::npos) {
      entry = entry->directory ? entry->directory->look_up(name.substr(slash + 1)).value() : std::nullopt;
    }
    if (entry) found = describe(entry->attributes);
    EXPECT_EQ(found, there ? describe(expected) : "nothing") << name;
    present += there ? 1U : 0U;
  }
  EXPECT_GT(present, 200U);
  ASSERT_EQ(::umount(at("merged").c_str()), 0);
}

TEST_F(Stack, LinksLeadThroughTheLayersAndNotOut) {
  dir("0/usr");
  dir("0/usr/etc");
  file("0/usr/etc/passwd", "lower");
  link("1/etc", "/../usr/etc");
  dir("2/usr");
  dir("2/usr/etc");
  file("2/usr/etc/group", "upper");
  whiteout("2/gone");
  file("0/gone", "hidden");
  link("2/host", "/etc/hostname");
  const LayerStack layers = stack();
  EXPECT_EQ(read_file(layers, "etc/passwd", 100).value(), "lower");
  EXPECT_EQ(read_file(layers, "/etc/../etc/group", 100).value(), "upper");
  EXPECT_EQ(follow(layers, "/etc/passwd").value().text(), "usr/etc/passwd");
  EXPECT_EQ(read_file(layers, "gone", 100).value(), std::nullopt);
  EXPECT_EQ(read_file(layers, "host", 100).value(), std::nullopt) << "not the host's";
  EXPECT_EQ(read_file(layers, "etc/passwd", 4).error().code, Code::refused);
  EXPECT_EQ(read_file(layers, "usr/etc", 100).error().code, Code::refused);
  const auto too_long = read_file(layers, std::string(300, 'x'), 100);
  EXPECT_EQ(too_long.error().code, Code::refused);
  EXPECT_THAT(too_long.error().message, HasSubstr("too long"));
}

}  // namespace
}  // namespace berth::store
