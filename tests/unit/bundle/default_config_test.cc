#include "bundle/default_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bundle/config.h"

namespace berth::bundle {
namespace {

Config read(const std::string& text) {
  const Result<ParsedConfig> parsed = parse_config(text);
  EXPECT_TRUE(parsed) << parsed.error().message;
  if (!parsed) return {};
  EXPECT_THAT(parsed->warnings, testing::IsEmpty());
  return parsed->config;
}

TEST(DefaultConfig, IsOneThatIsAccepted) {
  const Config config = read(default_config(std::nullopt));
  EXPECT_EQ(config.root.path, "rootfs");
  EXPECT_TRUE(config.root.readonly);
  ASSERT_TRUE(config.process);
  EXPECT_TRUE(config.process->no_new_privileges);
  EXPECT_THAT(config.process->args, testing::ElementsAre("sh"));
  EXPECT_NE(find_namespace(config.linux_part.namespaces, NamespaceType::network), nullptr);
  EXPECT_EQ(find_namespace(config.linux_part.namespaces, NamespaceType::user), nullptr);
}

TEST(DefaultConfig, RootlessOneMapsItsUser) {
  const Config config = read(default_config(RootlessIds{1000, 100}));
  ASSERT_EQ(config.linux_part.uid_mappings.size(), 1U);
  EXPECT_EQ(config.linux_part.uid_mappings[0].outside, 1000U);
  EXPECT_EQ(config.linux_part.gid_mappings[0].outside, 100U);
  EXPECT_EQ(find_namespace(config.linux_part.namespaces, NamespaceType::network), nullptr);
  EXPECT_FALSE(config.linux_part.resources);
}

}  // namespace
}  // namespace berth::bundle
