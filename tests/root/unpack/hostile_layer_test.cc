// Layers that are made to harm: each is refused with a reason, and nothing outside its directory changes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "../../support/scratch.h"
#include "../../support/tar_builder.h"
#include "../../support/text_source.h"
#include "unpack/gzip_compressor.h"
#include "unpack/sha256.h"
#include "unpack/unpack_layer.h"

namespace berth::unpack {
namespace {

using test::Scratch;
using test::TarBuilder;
using test::TextSource;
using testing::HasSubstr;

class HostileLayer : public testing::Test {
 protected:
  HostileLayer() {
    ::mkdir((scratch_.path() + "/staging").c_str(), 0700);
    staging_ = sys::open_at(AT_FDCWD, scratch_.path() + "/staging", O_RDONLY | O_DIRECTORY).value();
    // What an attacker would reach for.
    outside_ = scratch_.path() + "/outside";
    EXPECT_TRUE(sys::replace_file_at(AT_FDCWD, outside_, "host", 0644, sys::Durability::none));
  }

  Result<UnpackedLayer> unpack(const std::string& blob, const LayerExpectation& expected = {},
                               const Limits& limits = {}) {
    TextSource source(blob);
    Result<UnpackedLayer> result = unpack_layer(source, expected, UnpackMode::tree, staging_.get(), limits);
    EXPECT_EQ(sys::read_file_at(AT_FDCWD, outside_, 100).value(), "host");
    return result;
  }
  void refused(const TarBuilder& tar, const std::string& saying, const Limits& limits = {}) {
    const Result<UnpackedLayer> result = unpack(tar.str(), {}, limits);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, Code::refused) << result.error().message;
    EXPECT_THAT(result.error().message, HasSubstr(saying));
  }
  void accepted(const TarBuilder& tar) {
    const Result<UnpackedLayer> result = unpack(tar.str());
    ASSERT_TRUE(result) << result.error().message;
  }
  std::string read(const std::string& path) {
    return sys::read_file_at(staging_.get(), "tree/" + path, 1 << 20).value_or("(none)");
  }
  struct stat stat(const std::string& path) {
    return sys::stat_at(staging_.get(), "tree/" + path, AT_SYMLINK_NOFOLLOW).value();
  }
  bool exists(const std::string& path) { return sys::exists_at(staging_.get(), "tree/" + path); }

  Scratch scratch_;
  sys::UniqueFd staging_;
  std::string outside_;
};

TEST_F(HostileLayer, DotDotIsRefused) {
  refused(TarBuilder().file("../../outside", "x"), "\"..\"");
}
TEST_F(HostileLayer, DotDotInTheMiddleIsRefused) {
  refused(TarBuilder().dir("a").file("a/../../../outside", "x"), "\"..\"");
}
TEST_F(HostileLayer, AnAbsoluteNameStaysInside) {
  accepted(TarBuilder().file(outside_, "x"));
  EXPECT_EQ(read(outside_.substr(1)), "x");
}
TEST_F(HostileLayer, WritingThroughAnAbsoluteLinkStaysInside) {
  accepted(TarBuilder().link("exit", scratch_.path()).file("exit/outside", "x"));
  EXPECT_EQ(read(outside_.substr(1)), "x") << "the link means the layer's own directory";
}
TEST_F(HostileLayer, WritingThroughARelativeLinkStaysInside) {
  accepted(TarBuilder().link("exit", "../../../../../../../.." + scratch_.path()).file("exit/outside", "x"));
  EXPECT_EQ(read(outside_.substr(1)), "x");
}
TEST_F(HostileLayer, ALinkAsTheLastPartIsReplacedAndNotFollowed) {
  accepted(TarBuilder().link("f", outside_).file("f", "x"));
  EXPECT_TRUE(S_ISREG(stat("f").st_mode));
}
TEST_F(HostileLayer, LinksInACircleAreRefused) {
  refused(TarBuilder().link("a", "b").link("b", "a").file("a/f", "x"), "too many symbolic links");
}
TEST_F(HostileLayer, AFileAsADirectoryIsRefused) {
  refused(TarBuilder().file("a", "x").file("a/b", "x"), "not a directory");
}
TEST_F(HostileLayer, AHardLinkOutIsRefused) {
  refused(TarBuilder().hard_link("h", "../../outside"), "\"..\"");
}
TEST_F(HostileLayer, AnAbsoluteHardLinkIsLookedForInside) {
  refused(TarBuilder().hard_link("h", outside_), "not in this layer");
}
TEST_F(HostileLayer, AHardLinkThroughALinkIsLookedForInside) {
  refused(TarBuilder().link("exit", scratch_.path()).hard_link("h", "exit/outside"), "not in this layer");
}
TEST_F(HostileLayer, AHardLinkToALinkIsALink) {
  accepted(TarBuilder().link("l", outside_).hard_link("h", "l").file("h", "x"));
  EXPECT_TRUE(S_ISREG(stat("h").st_mode)) << "the file took the link's place";
}
TEST_F(HostileLayer, AHardLinkToADirectoryIsRefused) {
  refused(TarBuilder().dir("d").hard_link("h", "d"), "goes to the directory");
}
TEST_F(HostileLayer, AHardLinkToAWhiteoutIsRefused) {
  refused(TarBuilder().file(".wh.gone", "").hard_link("h", "gone"), "not in this layer");
}
TEST_F(HostileLayer, WhiteoutsOfNoNameAreRefused) {
  refused(TarBuilder().file("a/.wh.", ""), "hides no name");
}
TEST_F(HostileLayer, AWhiteoutOfTheDirectoryAboveIsRefused) {
  refused(TarBuilder().file("a/.wh...", ""), "hides no name");
}
TEST_F(HostileLayer, FilesBelowAWhiteoutAreRefused) {
  refused(TarBuilder().file("a/.wh.b/c", ""), "below a whiteout");
}
TEST_F(HostileLayer, TheRootAsALinkIsRefused) {
  refused(TarBuilder().link("./", "/etc"), "not a directory");
}
TEST_F(HostileLayer, ATenTerabyteSparseFileIsRefused) {
  refused(TarBuilder().add({.path = "big",
                            .data = "x",
                            .pax = {{"GNU.sparse.size", "10995116277760"}, {"GNU.sparse.map", "0,1"}}}),
          "at most");
}
TEST_F(HostileLayer, ALargeSparseFileTakesNoRoom) {
  accepted(
      TarBuilder().add({.path = "big",
                        .data = "x",
                        .pax = {{"GNU.sparse.size", "100000000000"}, {"GNU.sparse.map", "50000000000,1"}}}));
  EXPECT_EQ(stat("big").st_size, 100'000'000'000);
  EXPECT_LE(stat("big").st_blocks, 64);
}
TEST_F(HostileLayer, ABombIsStopped) {
  std::string blob;
  GzipCompressor compressor([&](std::span<const std::byte> data) -> Result<> {
    blob.append(reinterpret_cast<const char*>(data.data()), data.size());
    return {};
  });
  const std::string zeroes(1 << 20, '\0');
  std::string head = TarBuilder().add({.path = "bomb", .size = 1LL << 30}).unfinished();
  ASSERT_TRUE(compressor.write(std::as_bytes(std::span(head))));
  for (int i = 0; i < 1024; ++i) ASSERT_TRUE(compressor.write(std::as_bytes(std::span(zeroes))));
  ASSERT_TRUE(compressor.finish());
  Limits limits;
  limits.unpacked_bytes = 8 << 20;
  const Result<UnpackedLayer> result = unpack(blob, {}, limits);
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().message, HasSubstr("bytes unpacked"));
}
TEST_F(HostileLayer, DirectoriesTooDeepAreRefused) {
  std::string path;
  for (int i = 0; i < 300; ++i) path += "d/";
  refused(TarBuilder().dir(path), "directories deep");
}
TEST_F(HostileLayer, DirectoriesTooDeepThroughLinksAreRefused) {
  TarBuilder tar;
  std::string path;
  for (int i = 0; i < 200; ++i) path += "d/";
  tar.dir(path).link("l", path).dir("l/" + path);
  refused(tar, "too deep");
}
TEST_F(HostileLayer, AnAttributeTooLargeIsRefused) {
  refused(TarBuilder().add({.path = "f", .pax = {{"SCHILY.xattr.user.a", std::string(70'000, 'x')}}}),
          "extended attribute");
}
TEST_F(HostileLayer, DirectoryAttributesDoNotFillTheMemory) {
  Limits limits;
  limits.directory_attribute_bytes = 1 << 20;
  TarBuilder tar;
  for (int i = 0; i < 40; ++i) {
    tar.add({.path = fmt::format("d{}", i),
             .type = '5',
             .pax = {{"SCHILY.xattr.user.a", std::string(40'000, 'x')}}});
  }
  refused(tar, "attributes of the directories", limits);
}
TEST_F(HostileLayer, OverlayAttributesAreNotTheImagesToSet) {
  accepted(TarBuilder().dir("d").add({.path = "d",
                                      .type = '5',
                                      .pax = {{"SCHILY.xattr.trusted.overlay.redirect", "/../../etc"},
                                              {"SCHILY.xattr.trusted.overlay.opaque", "y"},
                                              {"SCHILY.xattr.user.kept", "v"}}}));
  const Attributes attributes =
      read_attributes(sys::open_at(staging_.get(), "tree/d", O_RDONLY | O_DIRECTORY).value().get()).value();
  ASSERT_EQ(attributes.xattrs.size(), 1U);
  EXPECT_EQ(attributes.xattrs[0].first, "user.kept");
}
TEST_F(HostileLayer, OwnersThatAreNoIdAreRefused) {
  refused(TarBuilder().add({.path = "f", .pax = {{"uid", "4294967295"}}}), "owner");
}
TEST_F(HostileLayer, TheLargestOwnerIsExact) {
  accepted(TarBuilder().add({.path = "f", .pax = {{"uid", "4294967294"}, {"gid", "4294967294"}}}));
  EXPECT_EQ(stat("f").st_uid, 4294967294U);
  EXPECT_EQ(stat("f").st_gid, 4294967294U);
}
TEST_F(HostileLayer, ALargeFileIsWhole) {
  std::string data(20 << 20, '\0');
  for (size_t i = 0; i < data.size(); ++i) data[i] = static_cast<char>(i * 2654435761U >> 13);
  accepted(TarBuilder().file("f", data).file("g", "after"));
  EXPECT_TRUE(sys::read_file_at(staging_.get(), "tree/f", 32 << 20).value() == data);
  EXPECT_EQ(read("g"), "after");
}
TEST_F(HostileLayer, TheLastOfTheSameNameWins) {
  accepted(TarBuilder()
               .file("a", "1")
               .file("a", "2")
               .dir("b")
               .file("b/c", "")
               .file("b", "now a file")
               .dir("e")
               .file("e/f", "kept")
               .dir("e", 0700));
  EXPECT_EQ(read("a"), "2");
  EXPECT_EQ(read("b"), "now a file");
  EXPECT_EQ(read("e/f"), "kept");
  EXPECT_EQ(stat("e").st_mode & 07777U, 0700U);
}
TEST_F(HostileLayer, AWhiteoutDoesNotHideItsOwnLayersFile) {
  accepted(TarBuilder().file("a", "x").file(".wh.a", "").file(".wh.b", "").file("b", "y"));
  EXPECT_EQ(read("a"), "x");
  EXPECT_EQ(read("b"), "y");
}
TEST_F(HostileLayer, ABlobThatIsLongerThanAnnouncedIsNotReadOn) {
  const std::string tar = TarBuilder().file("f", std::string(4 << 20, 'x')).str();
  TextSource source(tar);
  const Result<UnpackedLayer> result =
      unpack_layer(source, {.blob_size = 1000}, UnpackMode::tree, staging_.get());
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().message, HasSubstr("more than the 1000 bytes"));
  EXPECT_LE(source.given(), 512U << 10);
}
TEST_F(HostileLayer, ABlobThatIsShorterThanAnnouncedIsRefused) {
  const std::string tar = TarBuilder().file("f", "x").str();
  const Result<UnpackedLayer> result = unpack(tar, {.blob_size = tar.size() + 1});
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().message, HasSubstr("ends after"));
}
TEST_F(HostileLayer, AnotherDigestIsRefused) {
  const std::string tar = TarBuilder().file("f", "x").str();
  const Result<UnpackedLayer> result = unpack(tar, {.blob = sha256_digest("else"), .blob_size = tar.size()});
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().message, HasSubstr("digest should be " + sha256_digest("else")));
}
TEST_F(HostileLayer, DamagedCompressionIsToldFromABadlyMadeBlob) {
  std::string blob;
  GzipCompressor compressor([&](std::span<const std::byte> data) -> Result<> {
    blob.append(reinterpret_cast<const char*>(data.data()), data.size());
    return {};
  });
  const std::string tar = TarBuilder().file("f", std::string(100'000, 'x')).str();
  ASSERT_TRUE(compressor.write(std::as_bytes(std::span(tar))));
  ASSERT_TRUE(compressor.finish());
  const std::string digest = sha256_digest(blob);
  std::string flipped = blob;
  flipped[20] ^= 0x55;
  Result<UnpackedLayer> result = unpack(flipped, {.blob = digest, .blob_size = blob.size()});
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().message, HasSubstr("digest should be"));
}
TEST_F(HostileLayer, AnotherDiffIdIsRefused) {
  const Result<UnpackedLayer> result = unpack(TarBuilder().str(), {.diff_id = sha256_digest("else")});
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().message, HasSubstr("not the one that the configuration lists"));
}

}  // namespace
}  // namespace berth::unpack
