#include "lifecycle/listing.h"

#include <nlohmann/json.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace berth::lifecycle {
namespace {

using nlohmann::json;

TEST(Listing, IsAnArrayAsRuncWritesIt) {
  const bundle::State running{
      .id = "web", .status = bundle::Status::running, .pid = 42, .bundle = "/b", .annotations = {{"k", "v"}}};
  const bundle::State stopped{.id = "x", .status = bundle::Status::stopped, .bundle = "/c"};
  const std::vector<Listed> containers{{running, "/b/rootfs", 1'500'000'000, "root"},
                                       {stopped, "/r", 0, "#7"}};
  EXPECT_EQ(json::parse(*listing_json(containers)), json::parse(R"([
    {"ociVersion": "1.2.1", "id": "web", "pid": 42, "status": "running", "bundle": "/b", "rootfs": "/b/rootfs",
     "created": "1970-01-01T00:00:01.5Z", "annotations": {"k": "v"}, "owner": "root"},
    {"ociVersion": "1.2.1", "id": "x", "pid": 0, "status": "stopped", "bundle": "/c", "rootfs": "/r",
     "created": "1970-01-01T00:00:00Z", "owner": "#7"}])"));
  EXPECT_EQ(*listing_json({}), "[]");
}

TEST(Listing, TimesHaveTheDigitsThatTheyNeed) {
  EXPECT_EQ(time_text(1'767'323'045'678'000'000), "2026-01-02T03:04:05.678Z");
  EXPECT_EQ(time_text(1'767'323'045'000'000'001), "2026-01-02T03:04:05.000000001Z");
  EXPECT_EQ(time_text(1'767'323'045'000'000'000), "2026-01-02T03:04:05Z");
}

}  // namespace
}  // namespace berth::lifecycle
