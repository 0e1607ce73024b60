#include "unpack/layer_path.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace berth::unpack {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

LayerPath parsed(std::string_view path) {
  Result<LayerPath> result = parse_layer_path(path, {});
  EXPECT_TRUE(result) << path << ": " << (result ? "" : result.error().message);
  return result.value_or(LayerPath{});
}

TEST(LayerPath, SlashesAndDotsMeanNothing) {
  for (const std::string_view path : {"a/b/c", "/a/b/c", "./a/./b//c", "a/b/c/", "//a/b/c/."}) {
    const LayerPath got = parsed(path);
    EXPECT_THAT(got.parents, ElementsAre("a", "b")) << path;
    EXPECT_EQ(got.name, "c") << path;
    EXPECT_EQ(got.kind, NameKind::ordinary) << path;
  }
}

TEST(LayerPath, TheRootHasNoName) {
  for (const std::string_view path : {"", "/", "./", "."}) {
    const LayerPath got = parsed(path);
    EXPECT_THAT(got.parents, IsEmpty());
    EXPECT_EQ(got.name, "");
  }
}

TEST(LayerPath, Whiteouts) {
  EXPECT_EQ(parsed("a/.wh.b").kind, NameKind::whiteout);
  EXPECT_EQ(parsed("a/.wh.b").name, "b");
  EXPECT_EQ(parsed("a/.wh...b").name, "..b");
  EXPECT_EQ(parsed("a/.wh..wh..opq").kind, NameKind::opaque);
  EXPECT_EQ(parsed(".wh..wh.plnk").kind, NameKind::ignored);
  EXPECT_EQ(parsed(".wh..wh.plnk/12.34").kind, NameKind::ignored);
  EXPECT_EQ(parsed("a/b.wh.c").kind, NameKind::ordinary);
}

TEST(LayerPath, Refused) {
  for (const std::string& path :
       {std::string(".."), std::string("../a"), std::string("a/../b"), std::string("a/.."),
        std::string("/.."), std::string("a\0b", 3), std::string(".wh."), std::string("a/.wh.."),
        std::string("a/.wh..."), std::string(".wh.a/b"), std::string(256, 'a'),
        "a/" + std::string(256, 'a') + "/b", std::string(5000, '/')}) {
    const Result<LayerPath> got = parse_layer_path(path, {});
    ASSERT_FALSE(got) << path;
    EXPECT_EQ(got.error().code, Code::refused);
  }
  std::string deep;
  for (int i = 0; i < 300; ++i) deep += "d/";
  EXPECT_FALSE(parse_layer_path(deep, {}));
}

}  // namespace
}  // namespace berth::unpack
