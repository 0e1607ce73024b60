#include "bundle/state.h"

#include <nlohmann/json.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bundle/features.h"

namespace berth::bundle {
namespace {

using nlohmann::json;
using testing::Contains;

TEST(State, HasWhatTheSpecificationAsksFor) {
  const State state{
      .id = "web", .status = Status::running, .pid = 4422, .bundle = "/b", .annotations = {{"k", "v"}}};
  EXPECT_EQ(json::parse(*emit_state(state)),
            json::parse(R"({"ociVersion":"1.2.1","id":"web","status":"running",
    "pid":4422,"bundle":"/b","annotations":{"k":"v"}})"));
  EXPECT_EQ(json::parse(*emit_state({.id = "a", .status = Status::stopped, .bundle = "/b"})),
            json::parse(R"({"ociVersion":"1.2.1","id":"a","status":"stopped","bundle":"/b"})"));
  EXPECT_EQ(emit_state(state)->find('\n'), std::string::npos);
}

TEST(State, EveryStatusHasItsWord) {
  const std::vector<std::pair<Status, std::string>> words{{Status::creating, "creating"},
                                                          {Status::created, "created"},
                                                          {Status::running, "running"},
                                                          {Status::stopped, "stopped"},
                                                          {Status::paused, "paused"}};
  for (const auto& [status, word] : words) EXPECT_EQ(status_name(status), word);
}

TEST(State, AnAgentGetsItWithTheNameOfItsDescriptor) {
  const State state{.id = "a", .status = Status::creating, .pid = 7, .bundle = "/b"};
  EXPECT_EQ(json::parse(*emit_container_process_state(state, 8, "m")),
            json::parse(R"({"ociVersion":"1.2.1","fds":["seccompFd"],"pid":8,"metadata":"m",
    "state":{"ociVersion":"1.2.1","id":"a","status":"creating","pid":7,"bundle":"/b"}})"));
  EXPECT_FALSE(json::parse(*emit_container_process_state(state, 7, "")).contains("metadata"));
}

TEST(State, ATextThatIsNotUtf8IsAnError) {
  EXPECT_FALSE(emit_state({.id = "a", .bundle = "/\xff"}));
}

TEST(Features, SaysWhatIsReadAndWhatItWasTold) {
  Features features;
  features.cgroup = {.v1 = true, .v2 = true, .systemd = false};
  features.seccomp = {.enabled = true,
                      .actions = {"SCMP_ACT_ALLOW"},
                      .operators = {"SCMP_CMP_EQ"},
                      .architectures = {"SCMP_ARCH_X86_64"},
                      .known_flags = {"SECCOMP_FILTER_FLAG_LOG"}};
  features.apparmor = true;
  features.selinux = false;
  features.idmapped_mounts = true;
  features.annotations = {{"a", "b"}};
  features.potentially_unsafe_annotations = {"run.oci."};
  const json out = json::parse(*emit_features(features));
  EXPECT_EQ(out["ociVersionMin"], "1.0.0");
  EXPECT_EQ(out["ociVersionMax"], "1.2.1");
  EXPECT_EQ(out["hooks"].size(), 6U);
  EXPECT_THAT(out["mountOptions"], Contains("rro"));
  EXPECT_THAT(out["mountOptions"], testing::Not(Contains("nofail")));
  EXPECT_EQ(out["linux"]["namespaces"],
            json({"cgroup", "ipc", "mount", "network", "pid", "time", "user", "uts"}));
  EXPECT_THAT(out["linux"]["capabilities"], Contains("CAP_CHECKPOINT_RESTORE"));
  EXPECT_EQ(out["linux"]["cgroup"], json::parse(R"({"v1":true,"v2":true,"systemd":false})"));
  EXPECT_EQ(out["linux"]["seccomp"], json::parse(R"({"enabled":true,"actions":["SCMP_ACT_ALLOW"],
    "operators":["SCMP_CMP_EQ"],"archs":["SCMP_ARCH_X86_64"],"knownFlags":["SECCOMP_FILTER_FLAG_LOG"],
    "supportedFlags":[]})"));
  EXPECT_EQ(out["linux"]["apparmor"]["enabled"], true);
  EXPECT_EQ(out["linux"]["selinux"]["enabled"], false);
  EXPECT_FALSE(out["linux"].contains("intelRdt"));
  EXPECT_EQ(out["linux"]["mountExtensions"]["idmap"]["enabled"], true);
  EXPECT_EQ(out["annotations"]["a"], "b");
  EXPECT_EQ(out["potentiallyUnsafeConfigAnnotations"], json({"run.oci."}));
}

}  // namespace
}  // namespace berth::bundle
