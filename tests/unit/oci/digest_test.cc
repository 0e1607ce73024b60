#include "oci/digest.h"

#include <array>

#include <gtest/gtest.h>

namespace berth::oci {
namespace {

const std::string kHex(64, 'a');

TEST(Digest, OnlyItsOneSpellingIsAccepted) {
  EXPECT_EQ(Digest::parse("sha256:" + kHex)->str(), "sha256:" + kHex);
  EXPECT_EQ(Digest::parse("sha512:" + kHex + kHex)->algorithm(), Digest::Algorithm::sha512);
  for (const std::string& bad :
       {std::string(), std::string("sha256:"), kHex, "sha256:" + kHex + "a", "sha256:" + kHex.substr(1),
        "sha256:" + std::string(64, 'A'), "sha256:" + std::string(63, 'a') + "g", "SHA256:" + kHex,
        "sha512:" + kHex, "md5:" + std::string(32, 'a'), "sha256:../../../" + std::string(55, 'a'),
        " sha256:" + kHex, "sha256:" + kHex + "\n",
        "sha256:" + std::string(63, 'a') + std::string(1, '\0')}) {
    EXPECT_FALSE(Digest::parse(bad)) << bad;
  }
}

TEST(Digest, AHashBecomesItsHexadecimalDigits) {
  std::array<std::byte, 32> hash{};
  hash[0] = std::byte{0x0f};
  hash[31] = std::byte{0xf1};
  EXPECT_EQ(Digest::sha256(hash).str(), "sha256:0f" + std::string(60, '0') + "f1");
  EXPECT_EQ(Digest::sha256(hash).hex().size(), 64U);
  EXPECT_EQ(Digest::sha256(hash).short_hex(), "0f0000000000");
  EXPECT_EQ(Digest::parse(Digest::sha256(hash).str()), Digest::sha256(hash));
}

TEST(Digest, AnErrorDoesNotRepeatAMegabyte) {
  EXPECT_LT(Digest::parse(std::string(1 << 20, 'x')).error().message.size(), 300U);
}

}  // namespace
}  // namespace berth::oci
