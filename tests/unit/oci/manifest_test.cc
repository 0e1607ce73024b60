#include "oci/manifest.h"

#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace berth::oci {
namespace {

using testing::HasSubstr;

std::string digest(char c) {
  return "sha256:" + std::string(64, c);
}

std::string manifest_json(const std::string& extra = "",
                          const std::string& layer_type = "application/vnd.oci.image.layer.v1.tar+gzip") {
  return R"({"schemaVersion":2,)" + extra +
         R"("config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":")" + digest('c') +
         R"(","size":10},"layers":[{"mediaType":")" + layer_type + R"(","digest":")" + digest('1') +
         R"(","size":20,"urls":["http://elsewhere.example/x"]}]})";
}

std::string index_json() {
  return R"({"schemaVersion":2,"manifests":[
    {"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":")" +
         digest('a') + R"(","size":1,"platform":{"os":"linux","architecture":"amd64"}},
    {"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":")" +
         digest('6') + R"(","size":1,"platform":{"os":"linux","architecture":"arm","variant":"v6"}},
    {"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":")" +
         digest('7') + R"(","size":1,"platform":{"os":"linux","architecture":"arm","variant":"v7"}},
    {"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":")" +
         digest('e') + R"(","size":1,"platform":{"os":"unknown","architecture":"unknown"}}]})";
}

void expect_refused(const std::string& text, const std::string& why, std::string_view declared = {}) {
  const auto document = parse_manifest_or_index(text, declared);
  ASSERT_FALSE(document) << text.substr(0, 200);
  EXPECT_EQ(document.error().code, Code::refused);
  EXPECT_THAT(document.error().message, HasSubstr(why));
}

TEST(Manifest, IsReadWithItsConfigAndLayers) {
  const Manifest manifest = *parse_manifest(manifest_json(), media_type::kOciManifest);
  EXPECT_EQ(manifest.config.digest.str(), digest('c'));
  ASSERT_EQ(manifest.layers.size(), 1U);
  EXPECT_EQ(manifest.layers[0].size, 20U);
  EXPECT_EQ(*layer_compression(manifest.layers[0].media_type), Compression::gzip);
}

TEST(Manifest, TheContentTypeMayHaveParametersOrSayNothing) {
  EXPECT_TRUE(parse_manifest(manifest_json(), "Application/vnd.oci.image.manifest.v1+json; charset=utf-8"));
  EXPECT_TRUE(parse_manifest(manifest_json(), "application/json"));
  EXPECT_TRUE(parse_manifest(manifest_json()));
}

TEST(Manifest, TwoReadingsAreRefused) {
  std::string both = manifest_json();
  both.insert(1, R"("manifests":[],)");
  expect_refused(both, "as a manifest and as an index");
  expect_refused(manifest_json(R"("mediaType":"application/vnd.oci.image.index.v1+json",)"), "calls itself",
                 media_type::kOciManifest);
  expect_refused(manifest_json(), "is none", media_type::kOciIndex);
  expect_refused(index_json(), "is none", media_type::kOciManifest);
}

TEST(Manifest, WrongTypesNameThePlace) {
  expect_refused(R"({"schemaVersion":2,"config":[],"layers":[]})", "the manifest: config must be an object");
  expect_refused(R"({"schemaVersion":2,"layers":[]})", "\"config\" is missing");
  std::string text = manifest_json();
  text.replace(text.find("\"size\":20"), 9, "\"size\":-1");
  expect_refused(text, "layers[0].size: a size can't be negative");
  text = manifest_json();
  text.replace(text.find("\"size\":20"), 9, "\"size\":1e99");
  expect_refused(text, "layers[0].size must be an integer");
  text = manifest_json();
  text.replace(text.find("\"size\":20"), 9, "\"size\":18446744073709551615");
  expect_refused(text, "too large");
  text = manifest_json();
  text.replace(text.find(digest('1')), 71, "sha256:../../etc/passwd");
  expect_refused(text, "layers[0].digest");
}

TEST(Manifest, WhatIsNotAnImageIsRefused) {
  std::string text = manifest_json();
  text.replace(text.find("application/vnd.oci.image.config.v1+json"), 40,
               "application/vnd.example.chart+json");
  expect_refused(text, "not a container image");
  expect_refused(manifest_json("", "application/x-cake"), "not the type of a layer");
  expect_refused(R"({"schemaVersion":1,"fsLayers":[]})", "schema 1");
  expect_refused(R"({"schemaVersion":3,"layers":[]})", "schemaVersion");
  expect_refused("[]", "must be an object");
  expect_refused("", "not valid JSON");
  expect_refused("<html>", "not valid JSON");
  expect_refused("\xff\xfe", "not valid JSON");
}

TEST(Manifest, SizeAndDepthAreBounded) {
  expect_refused(std::string(kMaxManifestBytes + 1, ' '), "at most");
  expect_refused(std::string(100'000, '['), "nests deeper");
  std::string nested = R"({"schemaVersion":2,"x":)" + std::string(1000, '[') + std::string(1000, ']') + "}";
  expect_refused(nested, "nests deeper");
  std::string layers;
  for (size_t i = 0; i <= kMaxLayers; ++i) layers += R"({},)";
  layers.pop_back();
  std::string text = manifest_json();
  text = text.substr(0, text.find("\"layers\"")) + R"("layers":[)" + layers + "]}";
  expect_refused(text, "501 layers");
}

TEST(Manifest, EmittedIsReadTheSame) {
  const Manifest manifest = *parse_manifest(manifest_json());
  const std::string text = *emit_manifest(manifest);
  EXPECT_EQ(*emit_manifest(*parse_manifest(text)), text);
  const Index index = *parse_index(index_json());
  const std::string index_text = *emit_index(index);
  EXPECT_EQ(*emit_index(*parse_index(index_text)), index_text);
}

TEST(Index, TheBestPlatformIsChosen) {
  const Index index = *parse_index(index_json());
  EXPECT_EQ(choose(index, {"linux", "amd64", ""})->digest.str(), digest('a'));
  EXPECT_EQ(choose(index, {"linux", "arm", "v7"})->digest.str(), digest('7'));
  EXPECT_EQ(choose(index, {"linux", "arm", "v6"})->digest.str(), digest('6'));
}

TEST(Index, AMissingPlatformIsToldWithThoseThereAre) {
  const auto chosen = choose(*parse_index(index_json()), {"linux", "s390x", ""});
  ASSERT_FALSE(chosen);
  EXPECT_EQ(chosen.error().code, Code::not_found);
  EXPECT_THAT(chosen.error().message, HasSubstr("linux/s390x"));
  EXPECT_THAT(chosen.error().hint, HasSubstr("linux/amd64, linux/arm/v6, linux/arm/v7;"));
}

TEST(Index, ALoneEntryNeedsNoPlatform) {
  const auto index = parse_index(R"({"schemaVersion":2,"manifests":[
    {"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":")" +
                                 digest('a') + R"(","size":1}]})");
  EXPECT_EQ(choose(*index, {"linux", "s390x", ""})->digest.str(), digest('a'));
}

// Cut and bent documents give an error or a value, never an exception.
TEST(Manifest, MutatedDocumentsAreAnsweredOrRefused) {
  std::mt19937 random(7);
  for (const std::string& good : {manifest_json(), index_json()}) {
    std::uniform_int_distribution<size_t> position(0, good.size() - 1);
    std::uniform_int_distribution<int> byte(0, 255);
    for (int i = 0; i < 5000; ++i) {
      std::string bent = good;
      for (int n = 0; n < 3; ++n) bent[position(random)] = static_cast<char>(byte(random));
      if (i % 5 == 0) bent.resize(position(random));
      const auto document = parse_manifest_or_index(bent);
      EXPECT_TRUE(document || !document.error().message.empty());
    }
  }
}

}  // namespace
}  // namespace berth::oci
