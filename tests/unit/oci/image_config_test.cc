#include "oci/image_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace berth::oci {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const std::string kDiffId = "sha256:" + std::string(64, 'd');

std::string with_rootfs(const std::string& members) {
  return "{" + members + R"("rootfs":{"type":"layers","diff_ids":[")" + kDiffId + "\"]}}";
}

TEST(ImageConfig, SaysHowToRunTheImage) {
  const auto config = parse_image_config(with_rootfs(R"(
    "architecture":"arm64","os":"linux","variant":"v8","created":"2024-01-01T00:00:00Z",
    "config":{"User":"10:20","Env":["A=1","B="],"Entrypoint":["/e"],"Cmd":["c","d"],"WorkingDir":"/w",
      "Volumes":{"/v":{}},"ExposedPorts":{"80/tcp":{}},"Labels":{"l":"m"},"StopSignal":"SIGQUIT","ArgsEscaped":true,
      "Healthcheck":{"Test":["CMD","x"],"Interval":5000000000,"Retries":3}},
    "history":[{"created_by":"one"},{"created_by":"two","empty_layer":true}],)"));
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(describe(config->platform), "linux/arm64");
  EXPECT_EQ(config->user, "10:20");
  EXPECT_THAT(config->env, ElementsAre("A=1", "B="));
  EXPECT_THAT(config->entrypoint, ElementsAre("/e"));
  EXPECT_THAT(config->cmd, ElementsAre("c", "d"));
  EXPECT_THAT(config->volumes, ElementsAre("/v"));
  EXPECT_THAT(config->exposed_ports, ElementsAre("80/tcp"));
  EXPECT_EQ(config->labels.at("l"), "m");
  EXPECT_EQ(config->stop_signal, "SIGQUIT");
  EXPECT_EQ(config->healthcheck->interval, 5'000'000'000);
  EXPECT_EQ(config->diff_ids[0].str(), kDiffId);
  EXPECT_TRUE(config->history[1].empty_layer);
}

TEST(ImageConfig, NullAndAbsentAreTheSame) {
  const auto config = parse_image_config(with_rootfs(
      R"("config":{"Env":null,"Cmd":null,"Volumes":null,"Labels":null,"Healthcheck":null},"history":null,)"));
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_THAT(config->env, IsEmpty());
  EXPECT_FALSE(config->healthcheck);
  EXPECT_TRUE(parse_image_config(R"({"rootfs":{"type":"layers","diff_ids":null}})"));
}

TEST(ImageConfig, WrongTypesNameThePlace) {
  const auto why = [](const std::string& text) {
    const auto config = parse_image_config(text);
    return config ? std::string() : config.error().message;
  };
  EXPECT_THAT(why(with_rootfs(R"("config":{"Env":["A=1",2]},)")),
              HasSubstr("the image's config: config.Env[1] must be a string, and is of type number"));
  EXPECT_THAT(why(with_rootfs(R"("config":{"Env":"A=1"},)")), HasSubstr("config.Env must be an array"));
  EXPECT_THAT(why(with_rootfs(R"("config":{"User":0},)")), HasSubstr("config.User must be a string"));
  EXPECT_THAT(why(with_rootfs(R"("config":{"Env":["A=\u0000"]},)")), HasSubstr("NUL"));
  EXPECT_THAT(why(with_rootfs(R"("config":{"Labels":{"a":1}},)")), HasSubstr("config.Labels.a"));
  EXPECT_THAT(why("{}"), HasSubstr("\"rootfs\" is missing"));
  EXPECT_THAT(why(R"({"rootfs":{"type":"cake"}})"), HasSubstr("rootfs.type"));
  EXPECT_THAT(why(R"({"rootfs":{"type":"layers","diff_ids":["sha256:x"]}})"),
              HasSubstr("rootfs.diff_ids[0]"));
  EXPECT_THAT(why(std::string(kMaxConfigBytes + 1, ' ')), HasSubstr("at most"));
}

TEST(ImageConfig, EmittedIsReadTheSame) {
  ImageConfig config;
  config.platform = {"linux", "arm", "v6"};
  config.user = "www-data";
  config.env = {"PATH=/bin", "X=\xc3\xa9"};
  config.cmd = {"sh"};
  config.volumes = {"/a", "/b"};
  config.labels = {{"k", "v"}};
  config.healthcheck = Healthcheck{{"CMD-SHELL", "true"}, 1, 2, 3, 4};
  config.diff_ids = {*Digest::parse(kDiffId)};
  config.history = {{"2024-01-01T00:00:00Z", "import", "", "", false}};
  const std::string text = *emit_image_config(config);
  const auto again = parse_image_config(text);
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(*emit_image_config(*again), text);
  EXPECT_EQ(again->env, config.env);
  EXPECT_EQ(describe(again->platform), "linux/arm/v6");
}

TEST(ImageConfig, ATextThatIsNotUtf8IsAnError) {
  ImageConfig config;
  config.env = {"A=\xff"};
  EXPECT_FALSE(emit_image_config(config));
}

}  // namespace
}  // namespace berth::oci
