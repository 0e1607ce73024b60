#include "config/load.h"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../support/scratch.h"

namespace berth::config {
namespace {

using testing::HasSubstr;

class Load : public testing::Test {
 protected:
  Load() { sources_ = {.system = scratch_.path() + "/berth.toml", .owner = ::geteuid()}; }

  void write(const std::string& path, const std::string& text, mode_t mode = 0644) {
    std::ofstream(path) << text;
    ASSERT_EQ(::chmod(path.c_str(), mode), 0);
  }
  std::string problem() {
    const auto config = load(sources_);
    return config ? "none" : config.error().message;
  }

  const test::Scratch scratch_;
  Sources sources_;
};

TEST_F(Load, WithoutAFileItIsWhatIsBuiltIn) {
  EXPECT_EQ(load(sources_).value(), Config{});
  sources_.system = scratch_.path() + "/no/such/directory/berth.toml";
  EXPECT_EQ(load(sources_).value(), Config{});
}

TEST_F(Load, TheSystemsFile) {
  write(sources_.system, "[policy]\nrequire-private = true\n");
  const Config config = load(sources_).value();
  EXPECT_TRUE(config.policy.require_private.value);
  EXPECT_EQ(config.policy.require_private.origin.text(), sources_.system + ":2");
}

TEST_F(Load, TheSecondFileTightens) {
  write(sources_.system, "[policy]\nallowed-ranges = [\"1000-2000\"]\n[project-policy.web]\n");
  sources_.second = scratch_.path() + "/mine.toml";
  write(sources_.second, "[policy]\nallowed-ranges = [\"1500\"]\n[defaults]\nproject-policy = \"web\"\n",
        0666);
  const Config config = load(sources_).value();
  EXPECT_EQ(config.policy.allowed_ranges.origin.text(), sources_.second + ":2");
  EXPECT_EQ(config.defaults.project_policy.value, "web") << "named in the one, made in the other";
  write(sources_.second, "[policy]\nallowed-ranges = [\"3000\"]\n");
  EXPECT_EQ(problem(),
            fmt::format("cannot use the configuration that BERTH_CONFIG names: {}:2: "
                        "policy.allowed-ranges would loosen the policy: 3000-3000 is not allowed ({}:2)",
                        sources_.second, sources_.system));
}

TEST_F(Load, ASecondFileThatIsNotThereIsAnError) {
  sources_.second = scratch_.path() + "/mine.toml";
  EXPECT_EQ(problem(),
            fmt::format("cannot use the configuration that BERTH_CONFIG names: open {}: ENOENT (No "
                        "such file or directory)",
                        sources_.second));
}

TEST_F(Load, OthersMustNotBeAbleToWriteThePolicy) {
  for (const mode_t mode : {mode_t{0664}, mode_t{0646}, mode_t{0622}}) {
    write(sources_.system, "", mode);
    EXPECT_EQ(problem(),
              fmt::format("cannot use the configuration: {} can be written by others than its owner "
                          "(mode {:04o})",
                          sources_.system, mode));
  }
  write(sources_.system, "", 0600);
  EXPECT_EQ(problem(), "none");
}

TEST_F(Load, ThePolicyBelongsToRoot) {
  EXPECT_EQ(Sources{}.owner, 0U);
  EXPECT_EQ(Sources{}.system, "/etc/berth/berth.toml");
  write(sources_.system, "");
  sources_.owner = ::geteuid() + 1;
  EXPECT_EQ(problem(),
            fmt::format("cannot use the configuration: {} belongs to user {}, and must belong to {}",
                        sources_.system, ::geteuid(), ::geteuid() + 1));
}

TEST_F(Load, WhatIsNoRegularFileIsRefusedAtOnce) {
  ASSERT_EQ(::mkfifo(sources_.system.c_str(), 0600), 0);
  EXPECT_THAT(problem(), HasSubstr("is not a regular file"));
  sources_.second = scratch_.path();
  sources_.system = scratch_.path() + "/none";
  EXPECT_THAT(problem(), HasSubstr("is not a regular file"));
}

TEST_F(Load, ALongFileIsRefused) {
  write(sources_.system, std::string(70000, '\n'));
  EXPECT_THAT(problem(), HasSubstr("65536"));
}

TEST_F(Load, NamesAreCheckedInTheEnd) {
  write(sources_.system, "[defaults]\nproject-policy = \"web\"\n");
  EXPECT_THAT(problem(), HasSubstr("which there is not"));
}

TEST_F(Load, TheEnvironmentNamesTheSecondFile) {
  ASSERT_EQ(::setenv("BERTH_CONFIG", "/some/where.toml", 1), 0);
  EXPECT_EQ(sources_from_environment().second, "/some/where.toml");
  ASSERT_EQ(::unsetenv("BERTH_CONFIG"), 0);
  EXPECT_EQ(sources_from_environment().second, "");
}

}  // namespace
}  // namespace berth::config
