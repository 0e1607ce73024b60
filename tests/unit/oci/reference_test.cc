#include "oci/reference.h"

#include <random>

#include <gtest/gtest.h>

namespace berth::oci {
namespace {

const std::string kDigest = "sha256:" + std::string(64, 'b');

struct Case {
  std::string said;
  std::string full;
  std::string familiar;
};

class GoodReference : public testing::TestWithParam<Case> {};

TEST_P(GoodReference, HasOneFullFormAndAShortOneThatMeansTheSame) {
  const Result<Reference> reference = Reference::parse(GetParam().said);
  ASSERT_TRUE(reference) << reference.error().message;
  EXPECT_EQ(reference->full(), GetParam().full);
  EXPECT_EQ(reference->familiar(), GetParam().familiar);
  EXPECT_EQ(Reference::parse(reference->full())->full(), reference->full());
  EXPECT_EQ(Reference::parse(reference->familiar())->full(), reference->full());
}

INSTANTIATE_TEST_SUITE_P(
    Reference, GoodReference,
    testing::Values(
        Case{"busybox", "docker.io/library/busybox:latest", "busybox:latest"},
        Case{"busybox:1.36", "docker.io/library/busybox:1.36", "busybox:1.36"},
        Case{"team/app", "docker.io/team/app:latest", "team/app:latest"},
        Case{"docker.io/busybox", "docker.io/library/busybox:latest", "busybox:latest"},
        Case{"index.docker.io/library/busybox", "docker.io/library/busybox:latest", "busybox:latest"},
        Case{"docker.io/library/localhost/app", "docker.io/library/localhost/app:latest",
             "library/localhost/app:latest"},
        Case{"docker.io/a.b/c", "docker.io/a.b/c:latest", "docker.io/a.b/c:latest"},
        Case{"localhost/demo", "localhost/demo:latest", "localhost/demo:latest"},
        Case{"localhost:5000/demo:v1", "localhost:5000/demo:v1", "localhost:5000/demo:v1"},
        Case{"127.0.0.1:5000/a/b/c", "127.0.0.1:5000/a/b/c:latest", "127.0.0.1:5000/a/b/c:latest"},
        Case{"[::1]:5000/a", "[::1]:5000/a:latest", "[::1]:5000/a:latest"},
        Case{"[2001:db8::1]/a", "[2001:db8::1]/a:latest", "[2001:db8::1]/a:latest"},
        Case{"registry.example/a__b-c--d.e", "registry.example/a__b-c--d.e:latest",
             "registry.example/a__b-c--d.e:latest"},
        Case{"Registry/app", "Registry/app:latest", "Registry/app:latest"},
        Case{"busybox@" + kDigest, "docker.io/library/busybox@" + kDigest, "busybox@" + kDigest},
        Case{"busybox:1@" + kDigest, "docker.io/library/busybox:1@" + kDigest, "busybox:1@" + kDigest}));

TEST(Reference, WhatIsNoReferenceIsRefusedWithAReason) {
  for (const std::string& bad : {std::string(),
                                 std::string("Busybox"),
                                 std::string("/busybox"),
                                 std::string("busybox/"),
                                 std::string("busybox:"),
                                 std::string("busybox:-x"),
                                 std::string("busybox:.x"),
                                 "busybox:" + std::string(129, 'x'),
                                 std::string("busybox@sha256:ab"),
                                 std::string("busybox@"),
                                 std::string("a//b"),
                                 std::string("a/../b"),
                                 std::string("a/./b"),
                                 std::string(".a"),
                                 std::string("a."),
                                 std::string("a..b"),
                                 std::string("a___b"),
                                 std::string("a_"),
                                 std::string("-a"),
                                 std::string("a b"),
                                 std::string("a\nb"),
                                 std::string("a\0b", 3),
                                 std::string("localhost:0/a"),
                                 std::string("localhost:65536/a"),
                                 std::string("localhost:x/a"),
                                 std::string("localhost:/a"),
                                 std::string("-x.example/a"),
                                 std::string("x..example/a"),
                                 std::string("[::1/a"),
                                 std::string("[localhost]/a"),
                                 std::string("user@host.example/a"),
                                 std::string("http://localhost/a"),
                                 std::string(64, 'a'),
                                 std::string(300, 'a'),
                                 std::string(1 << 20, 'a'),
                                 std::string("host.example/")}) {
    const Result<Reference> reference = Reference::parse(bad);
    ASSERT_FALSE(reference) << bad.substr(0, 100);
    EXPECT_EQ(reference.error().code, Code::usage);
    EXPECT_FALSE(reference.error().hint.empty());
  }
}

TEST(Reference, AHostWithAPortAndNoPathIsANameWithATag) {
  // As with every other engine: there is no slash, so nothing says that it is a registry.
  EXPECT_EQ(Reference::parse("localhost:5000")->full(), "docker.io/library/localhost:5000");
}

TEST(Reference, TagAndDigestCanBeReplaced) {
  const Reference reference = *Reference::parse("localhost/a:1");
  EXPECT_EQ(reference.with_tag("2")->full(), "localhost/a:2");
  EXPECT_FALSE(reference.with_tag("a/b"));
  EXPECT_EQ(reference.with_digest(*Digest::parse(kDigest)).full(), "localhost/a@" + kDigest);
}

TEST(Reference, ARepositoryHasNeitherTagNorDigest) {
  EXPECT_EQ(Reference::parse_repository("localhost:5000/app")->name(), "localhost:5000/app");
  EXPECT_FALSE(Reference::parse_repository("localhost:5000/app:1"));
  EXPECT_FALSE(Reference::parse_repository("app@" + kDigest));
}

// Whatever is accepted is safe in a URL and a file name, and stays itself.
TEST(Reference, AcceptedReferencesAreStableAndPlain) {
  std::mt19937 random(20240601);
  const std::string alphabet = "abAB01.-_/:@[]% \\~?#&=+é";
  std::uniform_int_distribution<size_t> letter(0, alphabet.size() - 1);
  std::uniform_int_distribution<size_t> length(1, 12);
  size_t accepted = 0;
  for (int i = 0; i < 200'000; ++i) {
    std::string text;
    for (size_t n = length(random); n > 0; --n) text += alphabet[letter(random)];
    const Result<Reference> reference = Reference::parse(text);
    if (!reference) continue;
    ++accepted;
    const std::string full = reference->full();
    EXPECT_EQ(full.find_first_of("% \\~?#&=+"), std::string::npos) << full;
    EXPECT_EQ(full.find("//"), std::string::npos) << full;
    EXPECT_EQ(full.find("/."), std::string::npos) << full;
    EXPECT_EQ(Reference::parse(full)->full(), full);
    EXPECT_EQ(Reference::parse(reference->familiar())->full(), full);
  }
  EXPECT_GT(accepted, 1000U);
}

}  // namespace
}  // namespace berth::oci
