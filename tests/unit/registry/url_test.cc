#include "registry/url.h"

#include <gtest/gtest.h>

namespace berth::registry {
namespace {

TEST(Url, IsTakenApart) {
  const Url url = *parse_url("https://localhost:5000/v2/?x=secret");
  EXPECT_EQ(url.origin(), "https://localhost:5000");
  EXPECT_EQ(url.path, "/v2/");
  EXPECT_EQ(url.shown(), "https://localhost:5000/v2/") << "a query may hold a signature";
  EXPECT_EQ(parse_url("https://registry.example/x")->origin(), "https://registry.example:443");
  EXPECT_EQ(parse_url("http://[::1]:80/")->host, "[::1]");
}

TEST(Url, OnlyHttpAndHttpsWithoutAUser) {
  for (const char* bad :
       {"", "file:///etc/passwd", "ftp://x/", "gopher://x/", "/relative", "https://user:pass@x/",
        "https://user@x/", "https://", "javascript:1", "https://x y/"}) {
    EXPECT_FALSE(parse_url(bad)) << bad;
  }
  EXPECT_FALSE(parse_url("https://x/" + std::string(10'000, 'a')));
}

TEST(Url, OnlyThisMachineIsLoopback) {
  for (const char* here : {"localhost", "a.localhost", "127.0.0.1", "127.1.2.3", "[::1]"})
    EXPECT_TRUE(is_loopback(here)) << here;
  for (const char* there : {"localhost.example", "127.0.0.1.example", "128.0.0.1", "0.0.0.0", "[::2]",
                            "10.0.0.1", "notlocalhost", "127.1", "[::ffff:10.0.0.1]", ""}) {
    EXPECT_FALSE(is_loopback(there)) << there;
  }
}

TEST(Url, TheHostOfARegistry) {
  EXPECT_EQ(host_of("localhost:5000"), "localhost");
  EXPECT_EQ(host_of("localhost"), "localhost");
  EXPECT_EQ(host_of("[::1]:5000"), "[::1]");
  EXPECT_EQ(host_of("[::1]"), "[::1]");
}

}  // namespace
}  // namespace berth::registry
