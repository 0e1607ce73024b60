#include "transfer/install_image.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "../../support/memory_image.h"
#include "../../support/scratch_store.h"
#include "../../support/tar_builder.h"
#include "store/images.h"
#include "store/layers.h"

namespace berth::transfer {
namespace {

using test::MemoryImage;
using test::Scratch;
using test::TarBuilder;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class InstallImage : public testing::Test {
 protected:
  InstallImage() : store_(test::open_store(scratch_).value()) {}

  std::string install(ImageSource& source, const std::vector<std::string>& names) {
    const Result<std::string> id = install_image(store_, source, names);
    EXPECT_TRUE(id) << id.error().message;
    return id.value_or("");
  }
  std::string refused(ImageSource& source) {
    const Result<std::string> id = install_image(store_, source, {});
    EXPECT_FALSE(id);
    return id ? "" : id.error().message;
  }
  store::ImageRecord find(std::string_view word) {
    Result<store::ImageRecord> found = store::find_image(store_, word);
    EXPECT_TRUE(found) << word << ": " << (found ? "" : found.error().message);
    return found.value_or(store::ImageRecord{});
  }
  std::vector<std::string> names_in(const std::string& path) {
    const sys::UniqueFd dir = sys::open_at(store_.root(), path, O_RDONLY | O_DIRECTORY).value();
    return sys::list_dir(dir.get()).value();
  }
  struct stat layer_stat(const std::string& directory, const std::string& path) {
    return sys::stat_at(store_.root(), "layers/" + directory + "/" + path, AT_SYMLINK_NOFOLLOW).value();
  }

  Scratch scratch_;
  store::Store store_;
};

TEST_F(InstallImage, IsFoundByAllItsNames) {
  MemoryImage image({TarBuilder().dir("etc").file("etc/passwd", "root:x:0:0::/root:/bin/sh\n").str()});
  const std::string id = install(image, {"docker.io/library/demo:latest", "localhost/mine:1"});
  for (const std::string& word :
       {std::string("demo"), std::string("docker.io/library/demo:latest"), std::string("mine:1"),
        std::string("localhost/mine:1"), id, id.substr(7, 12), id.substr(7, 3)}) {
    EXPECT_EQ(find(word).id, id);
  }
  const store::ImageRecord record = find("demo");
  EXPECT_EQ(record.name, "docker.io/library/demo:latest");
  EXPECT_EQ(record.passwd, "root:x:0:0::/root:/bin/sh\n");
  EXPECT_EQ(record.group, std::nullopt);
  EXPECT_EQ(record.config, image.config);
  EXPECT_EQ(record.manifest_digest, unpack::sha256_digest(image.manifest));
  EXPECT_THAT(record.layers, SizeIs(1));
  EXPECT_THAT(names_in("tmp"), IsEmpty());
}

TEST_F(InstallImage, AMisspeltNameGetsAHint) {
  MemoryImage image({TarBuilder().str()});
  install(image, {"docker.io/library/busybox:latest"});
  const Result<store::ImageRecord> found = store::find_image(store_, "busibox");
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, Code::not_found);
  EXPECT_EQ(found.error().hint, "Did you mean busybox?");
}

TEST_F(InstallImage, ALayerIsFetchedOnceForAllImages) {
  const std::string base = TarBuilder().dir("a").str();
  MemoryImage first({base});
  install(first, {"localhost/first:latest"});
  MemoryImage second({base, TarBuilder().dir("b").str()});
  install(second, {"localhost/second:latest"});
  EXPECT_THAT(second.opened, ElementsAre(1U));
  EXPECT_EQ(find("first").layers.at(0), find("second").layers.at(0));
}

TEST_F(InstallImage, ALayerThatComesTwiceIsStackedOnce) {
  const std::string layer = TarBuilder().dir("a").str();
  MemoryImage image({layer, TarBuilder().dir("b").str(), layer});
  const std::string id = install(image, {"localhost/twice:latest"});
  EXPECT_THAT(find("twice").layers, SizeIs(2));
  EXPECT_THAT(store::image_layers(store_, id).value(), SizeIs(3)) << "as the manifest lists them";
}

TEST_F(InstallImage, NothingBelowAnOpaqueRootIsStacked) {
  MemoryImage image(
      {TarBuilder().file("old", "").str(), TarBuilder().file(".wh..wh..opq", "").file("new", "").str()});
  install(image, {"localhost/opaque:latest"});
  EXPECT_THAT(find("opaque").layers, SizeIs(1));
}

TEST_F(InstallImage, ImplicitDirectoriesHaveTheAttributesOfTheLayersBelow) {
  TarBuilder base;
  base.add({.path = "srv", .type = '5', .mode = 0750, .uid = 7, .gid = 8, .mtime = 1234567});
  MemoryImage image({base.str(), TarBuilder().file("srv/new/f", "x").str()});
  install(image, {"localhost/implicit:latest"});
  const std::string top = find("implicit").layers.at(1);
  EXPECT_THAT(top, testing::StartsWith("chain-"));
  const struct stat srv = layer_stat(top, "srv");
  EXPECT_EQ(srv.st_mode & 07777U, 0750U);
  EXPECT_EQ(srv.st_uid, 7U);
  EXPECT_EQ(srv.st_gid, 8U);
  EXPECT_EQ(srv.st_mtime, 1234567);
  EXPECT_EQ(layer_stat(top, "srv/new").st_mode & 07777U, 0755U) << "no layer says anything of it";

  // On another base the same tar is another directory, made from the blob that is there.
  MemoryImage other({TarBuilder().dir("srv", 0700).str(), TarBuilder().file("srv/new/f", "x").str()});
  install(other, {"localhost/other:latest"});
  EXPECT_THAT(other.opened, ElementsAre(0U));
  EXPECT_EQ(layer_stat(find("other").layers.at(1), "srv").st_mode & 07777U, 0700U);
}

TEST_F(InstallImage, TheRootsAttributesAreThoseOfTheHighestLayerThatListsIt) {
  MemoryImage image({TarBuilder().add({.path = "./", .type = '5', .mode = 0555, .uid = 3}).str(),
                     TarBuilder().dir("d").str()});
  install(image, {"localhost/rooted:latest"});
  EXPECT_EQ(find("rooted").root.mode, 0555U);
  EXPECT_EQ(find("rooted").root.uid, 3U);
}

TEST_F(InstallImage, AccountsAreReadThroughLinksAndUpperLayers) {
  MemoryImage image({TarBuilder()
                         .dir("real")
                         .file("real/passwd", "low")
                         .file("real/group", "low group")
                         .link("etc", "/real")
                         .str(),
                     TarBuilder().dir("real").file("real/passwd", "high").str()});
  install(image, {"localhost/linked:latest"});
  EXPECT_EQ(find("linked").passwd, "high");
  EXPECT_EQ(find("linked").group, "low group");
}

TEST_F(InstallImage, HiddenAccountsAreNone) {
  MemoryImage image({TarBuilder().dir("etc").file("etc/passwd", "p").file("etc/group", "g").str(),
                     TarBuilder().dir("etc").file("etc/.wh.passwd", "").str(),
                     TarBuilder().dir("etc").file("etc/.wh..wh..opq", "").str()});
  install(image, {"localhost/hidden:latest"});
  EXPECT_EQ(find("hidden").passwd, std::nullopt);
  EXPECT_EQ(find("hidden").group, std::nullopt);
}

TEST_F(InstallImage, AccountFilesThatAreNoFilesAreNone) {
  const auto passwd_of = [&](const TarBuilder& tar) {
    MemoryImage image({tar.str()});
    install(image, {"localhost/strange:latest"});
    return find("strange").passwd;
  };
  EXPECT_EQ(passwd_of(TarBuilder().dir("etc").link("etc/passwd", "/../../../../etc/passwd")), std::nullopt);
  EXPECT_EQ(passwd_of(TarBuilder().dir("etc/passwd")), std::nullopt);
  EXPECT_EQ(passwd_of(TarBuilder().add({.path = "etc/passwd", .type = '6'})), std::nullopt);
  EXPECT_EQ(
      passwd_of(TarBuilder().add({.path = "etc/passwd", .type = '3', .device_major = 1, .device_minor = 5})),
      std::nullopt);
  EXPECT_EQ(
      passwd_of(TarBuilder().add({.path = "etc/passwd",
                                  .data = "x",
                                  .pax = {{"GNU.sparse.size", "10000000000"}, {"GNU.sparse.map", "0,1"}}})),
      std::nullopt);
}

TEST_F(InstallImage, ANameMovesToTheNewImage) {
  MemoryImage first({TarBuilder().dir("a").str()});
  MemoryImage second({TarBuilder().dir("b").str()});
  const std::string old_id = install(first, {"localhost/name:latest"});
  const std::string new_id = install(second, {"localhost/name:latest"});
  EXPECT_EQ(find("name").id, new_id);
  EXPECT_THAT(store::image_names(store_, old_id).value(), IsEmpty());
}

TEST_F(InstallImage, RemovingTheLastUserOfALayerRemovesIt) {
  const std::string shared = TarBuilder().dir("shared").str();
  MemoryImage first({shared, TarBuilder().file("one", "1").str()});
  MemoryImage second({shared});
  const std::string first_id = install(first, {"localhost/first:latest"});
  const std::string second_id = install(second, {"localhost/second:latest"});
  ASSERT_TRUE(store::remove_image(store_, first_id));
  ASSERT_TRUE(store::collect_garbage(store_));
  EXPECT_THAT(names_in("layers"), ElementsAre(find("second").layers.at(0)));
  EXPECT_THAT(names_in("blobs/sha256"), SizeIs(1));
  ASSERT_TRUE(store::remove_image(store_, second_id));
  ASSERT_TRUE(store::collect_garbage(store_));
  EXPECT_THAT(names_in("layers"), IsEmpty());
  EXPECT_THAT(names_in("blobs/sha256"), IsEmpty());
}

TEST_F(InstallImage, AnImageWithoutAManifestGetsOneAndCompressedBlobs) {
  const std::string tar = TarBuilder().file("f", std::string(100'000, 'x')).str();
  MemoryImage image({tar}, MemoryImage::Manifest::none);
  const std::string id = install(image, {"localhost/plain:latest"});
  const store::ImageDocuments documents = store::image_documents(store_, id).value();
  const oci::Manifest manifest = oci::parse_manifest(documents.manifest).value();
  EXPECT_EQ(manifest.layers.at(0).media_type, oci::media_type::kOciLayerGzip);
  const std::string blob =
      sys::read_file_at(store_.root(), "blobs/sha256/" + std::string(manifest.layers[0].digest.hex()),
                        1 << 20)
          .value();
  EXPECT_LT(blob.size(), 10'000U);
  EXPECT_EQ(blob.size(), manifest.layers[0].size);
  EXPECT_EQ(unpack::sha256_digest(blob), manifest.layers[0].digest.str());
  // The same content under another configuration needs no second blob.
  MemoryImage again({tar}, MemoryImage::Manifest::none, "somebody");
  install(again, {"localhost/again:latest"});
  EXPECT_THAT(again.opened, IsEmpty());
}

TEST_F(InstallImage, AHostileLayerLeavesNothing) {
  MemoryImage image({TarBuilder().dir("good").str(), TarBuilder().file("../bad", "").str()});
  EXPECT_THAT(refused(image), HasSubstr("layer 2 of 2"));
  for (const std::string directory : {"tmp", "layers", "blobs/sha256"})
    EXPECT_THAT(names_in(directory), IsEmpty());
  EXPECT_THAT(store::list_images(store_).value(), IsEmpty());
}

TEST_F(InstallImage, DocumentsThatContradictEachOtherAreRefused) {
  const std::string tar = TarBuilder().dir("a").str();
  MemoryImage more_diff_ids({tar});
  more_diff_ids.config = MemoryImage({tar, tar}).config;
  EXPECT_THAT(refused(more_diff_ids), HasSubstr("names the configuration"));
  MemoryImage wrong_diff_id({tar}, MemoryImage::Manifest::none);
  const MemoryImage other({TarBuilder().dir("b").str()});
  wrong_diff_id.blobs = other.blobs;
  EXPECT_THAT(refused(wrong_diff_id), HasSubstr("not the one that the configuration lists"));
}

}  // namespace
}  // namespace berth::transfer
