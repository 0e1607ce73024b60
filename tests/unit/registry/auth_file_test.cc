#include "registry/auth_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "registry/base64.h"

namespace berth::registry {
namespace {

using testing::HasSubstr;

std::string entry(const std::string& key, const std::string& user_and_password) {
  return "\"" + key + R"(":{"auth":")" + base64_encode(user_and_password) + "\"}";
}

AuthFile file_with(const std::string& entries) {
  return *AuthFile::parse(R"({"auths":{)" + entries + "}}");
}

std::string user_of(const AuthFile& file, const char* registry, const char* repository) {
  const auto login = file.find(registry, repository);
  if (!login) return "error: " + login.error().message;
  return *login ? (*login)->username : "none";
}

TEST(Base64, GoesBothWays) {
  for (const std::string& text : {std::string(), std::string("f"), std::string("fo"), std::string("foo"),
                                  std::string("foob"), std::string("\0\xff\x80", 3)}) {
    EXPECT_EQ(base64_decode(base64_encode(text)), text);
  }
  EXPECT_EQ(base64_encode("foob"), "Zm9vYg==");
  EXPECT_EQ(base64_decode("Zm9vYg"), "foob");
  EXPECT_FALSE(base64_decode("Zm9vY"));
  EXPECT_FALSE(base64_decode("Zm9v Yg=="));
}

TEST(AuthFile, TheMostSpecificEntryWins) {
  const AuthFile file =
      file_with(entry("localhost:5000", "wide:1") + "," + entry("localhost:5000/team", "team:2") + "," +
                entry("localhost:5000/team/app", "app:3"));
  EXPECT_EQ(user_of(file, "localhost:5000", "team/app"), "app");
  EXPECT_EQ(user_of(file, "localhost:5000", "team/other"), "team");
  EXPECT_EQ(user_of(file, "localhost:5000", "teamwork"), "wide");
  EXPECT_EQ(user_of(file, "localhost:5001", "team/app"), "none");
}

TEST(AuthFile, DockersKeysAreUnderstood) {
  const AuthFile file = file_with(entry("https://index.docker.io/v1/", "hub:1") + "," +
                                  entry("https://localhost:5000/v2/", "url:2"));
  EXPECT_EQ(user_of(file, "docker.io", "library/busybox"), "hub");
  EXPECT_EQ(user_of(file, "localhost:5000", "a"), "url");
}

TEST(AuthFile, APasswordMayHaveColonsAndPadding) {
  const AuthFile file = file_with(entry("r", std::string("u:a:b\0\0", 7)));
  EXPECT_EQ((*file.find("r", ""))->password, "a:b");
}

TEST(AuthFile, AnIdentityTokenCounts) {
  const AuthFile file = *AuthFile::parse(R"({"auths":{"r":{"identitytoken":"t"}}})");
  EXPECT_EQ((*file.find("r", ""))->identity_token, "t");
}

TEST(AuthFile, AnEntryOfAHelperIsEmpty) {
  EXPECT_EQ(user_of(*AuthFile::parse(R"({"auths":{"r":{}}})"), "r", ""), "none");
}

TEST(AuthFile, WhatIsMalformedIsAnErrorWithThePlace) {
  EXPECT_THAT(user_of(*AuthFile::parse(R"({"auths":{"r":{"auth":"###"}}})"), "r", ""), HasSubstr("auths.r"));
  EXPECT_THAT(AuthFile::parse("{").error().message, HasSubstr("JSON"));
  EXPECT_FALSE(AuthFile::parse("[]"));
  EXPECT_FALSE(AuthFile::parse(R"({"auths":[]})"));
  EXPECT_TRUE(AuthFile::parse("")) << "an empty file has no entries";
}

TEST(AuthFile, HelpersAreForARegistryOrForAll) {
  const AuthFile file =
      *AuthFile::parse(R"({"credHelpers":{"localhost:5000":"pass"},"credsStore":"keyring"})");
  EXPECT_EQ(*file.helper_for("localhost:5000"), "pass");
  EXPECT_EQ(*file.helper_for("docker.io"), "keyring");
  EXPECT_EQ(*AuthFile().helper_for("docker.io"), "");
}

TEST(AuthFile, AHelpersNameIsNoPathAndNoFlag) {
  for (const char* name : {"../evil", "a/b", "-x", ".x", "a b", "a;b", "$(x)"}) {
    const AuthFile file = *AuthFile::parse(fmt::format(R"({{"credsStore":"{}"}})", name));
    EXPECT_FALSE(file.helper_for("r")) << name;
  }
}

TEST(AuthFile, ChangesKeepWhatIsUnknown) {
  AuthFile file = *AuthFile::parse(R"({"auths":{"a":{"auth":"eDp5"}},"HttpHeaders":{"X":"1"}})");
  file.set("b", {"user", "pass", ""});
  const std::string text = *file.emit();
  EXPECT_THAT(text, HasSubstr("HttpHeaders"));
  const AuthFile again = *AuthFile::parse(text);
  EXPECT_EQ(user_of(again, "a", ""), "x");
  EXPECT_EQ((*again.find("b", ""))->password, "pass");
}

TEST(AuthFile, RemovalTakesEverySpelling) {
  AuthFile file = file_with(entry("https://index.docker.io/v1/", "a:1") + "," + entry("docker.io", "b:2"));
  EXPECT_TRUE(file.remove("docker.io"));
  EXPECT_FALSE(file.remove("docker.io"));
  EXPECT_EQ(user_of(file, "docker.io", "x"), "none");
}

}  // namespace
}  // namespace berth::registry
