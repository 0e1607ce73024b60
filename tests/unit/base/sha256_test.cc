#include "base/sha256.h"

#include <gtest/gtest.h>

namespace berth {
namespace {

// The examples of FIPS 180-4 and of NIST's "Cryptographic Standards and Guidelines".
TEST(Sha256, PublishedVectors) {
  EXPECT_EQ(sha256_hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256_hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(sha256_hex(std::string(1000000, 'a')),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256, PiecesGiveTheSameAsTheWhole) {
  for (const size_t length : {54U, 55U, 56U, 57U, 63U, 64U, 65U, 119U, 120U, 128U, 1000U}) {
    const std::string text(length, 'x');
    Sha256 pieces;
    for (size_t i = 0; i < length; i += 7) pieces.update(std::string_view(text).substr(i, 7));
    Sha256 whole;
    whole.update(text);
    EXPECT_EQ(pieces.finish(), whole.finish()) << length;
  }
}

}  // namespace
}  // namespace berth
