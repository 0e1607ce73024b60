#include "registry/answer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "registry/authorizer.h"
#include "registry/hash.h"

namespace berth::registry {
namespace {

TEST(Answer, ReasonsAreTakenFromTheErrorDocument) {
  EXPECT_EQ(reasons_in(R"({"errors":[{"code":"DENIED","message":"no","detail":{}},{"code":"X"}]})"),
            "DENIED: no; X");
  EXPECT_EQ(reasons_in(R"({"details":"bad credentials"})"), "bad credentials");
  EXPECT_EQ(reasons_in("<html>"), "");
  EXPECT_EQ(reasons_in(R"({"errors":1})"), "");
  EXPECT_LE(reasons_in(R"({"errors":[{"message":")" + std::string(10'000, 'x') + "\"}]}").size(), 300U);
}

TEST(Token, IsOneThatAHeaderCanHold) {
  EXPECT_EQ(*parse_token(R"({"token":"abc.def"})"), "abc.def");
  EXPECT_EQ(*parse_token(R"({"access_token":"xyz"})"), "xyz");
  for (const char* bad : {"{}", R"({"token":""})", R"({"token":1})", R"({"token":"a\r\nX-Evil: 1"})",
                          R"({"token":"a b"})", R"({"token":"\u00e9"})", "", "token"}) {
    EXPECT_FALSE(parse_token(bad)) << bad;
  }
}

TEST(Hash, IsTheOneOfTheStandard) {
  EXPECT_EQ(digest_of("abc", oci::Digest::Algorithm::sha256)->str(),
            "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_TRUE(digest_of("abc", oci::Digest::Algorithm::sha512)->hex().starts_with("ddaf35a193617aba"));
}

}  // namespace
}  // namespace berth::registry
