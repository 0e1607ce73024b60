#include "bundle/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/resource.h>

#include "example.h"

namespace berth::bundle {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Config parsed(const std::string& text) {
  Result<ParsedConfig> result = parse_config(text);
  EXPECT_TRUE(result) << (result ? "" : result.error().message);
  return result ? result->config : Config();
}

std::vector<std::string> warnings(const std::string& text) {
  Result<ParsedConfig> result = parse_config(text);
  EXPECT_TRUE(result) << (result ? "" : result.error().message);
  return result ? result->warnings : std::vector<std::string>();
}

TEST(Config, TheProcessIsRead) {
  const Process process = *parsed(kExample).process;
  EXPECT_TRUE(process.terminal);
  EXPECT_EQ(process.console_size->rows, 25);
  EXPECT_EQ(process.console_size->columns, 80);
  EXPECT_EQ(process.user.uid, ContainerUid(1));
  EXPECT_EQ(process.user.gid, ContainerGid(2));
  EXPECT_EQ(process.user.umask, 63);
  EXPECT_THAT(process.user.additional_gids, ElementsAre(ContainerGid(5), ContainerGid(6)));
  EXPECT_THAT(process.args, ElementsAre("sh", "-c", "true"));
  EXPECT_THAT(process.env, ElementsAre("PATH=/bin", "EMPTY="));
  EXPECT_EQ(process.cwd, "/root");
  EXPECT_EQ(process.capabilities->bounding, 0b100001U);
  EXPECT_EQ(process.capabilities->ambient, 0b100000U);
  ASSERT_EQ(process.rlimits.size(), 1U);
  EXPECT_EQ(process.rlimits[0].resource, unsigned{RLIMIT_NOFILE});
  EXPECT_EQ(process.rlimits[0].hard, UINT64_MAX);
  EXPECT_TRUE(process.no_new_privileges);
  EXPECT_EQ(process.apparmor_profile, "acme");
  EXPECT_EQ(process.selinux_label, "u:r:t:s0:c1,c2");
  EXPECT_EQ(process.oom_score_adj, -5);
  EXPECT_EQ(process.scheduler->policy, 1U);
  EXPECT_EQ(process.scheduler->priority, 10U);
  EXPECT_EQ(process.scheduler->flags, 1U);
  EXPECT_EQ(process.io_priority->io_class, 3U);
  EXPECT_EQ(process.io_priority->priority, 4U);
  EXPECT_THAT(process.exec_cpu_affinity->initial, ElementsAre(CpuRange{7, 7}));
  EXPECT_THAT(process.exec_cpu_affinity->final, ElementsAre(CpuRange{0, 3}, CpuRange{7, 7}));
}

TEST(Config, WhatStandsBesideTheProcessIsRead) {
  const Config config = parsed(kExample);
  EXPECT_EQ(config.oci_version, "1.2.0");
  EXPECT_EQ(config.root.path, "rootfs");
  EXPECT_TRUE(config.root.readonly);
  EXPECT_EQ(config.hostname, "web");
  EXPECT_EQ(config.domainname, "example.test");
  ASSERT_EQ(config.mounts.size(), 2U);
  EXPECT_EQ(config.mounts[0].type, "proc");
  EXPECT_EQ(config.mounts[1].type, "");
  EXPECT_TRUE(config.mounts[1].options.recursive_bind);
  EXPECT_THAT(config.mounts[1].uid_mappings, ElementsAre(idmap::Extent{0, 1000, 10}));
  EXPECT_EQ(config.hooks.prestart[0].path, "/bin/a");
  EXPECT_THAT(config.hooks.prestart[0].args, ElementsAre("a", "b"));
  EXPECT_THAT(config.hooks.prestart[0].env, ElementsAre("K=V"));
  EXPECT_EQ(config.hooks.prestart[0].timeout, 5);
  EXPECT_EQ(config.hooks.create_runtime[0].path, "/bin/b");
  EXPECT_EQ(config.hooks.create_container[0].path, "/bin/c");
  EXPECT_EQ(config.hooks.start_container[0].path, "/bin/d");
  EXPECT_EQ(config.hooks.poststart[0].path, "/bin/e");
  EXPECT_EQ(config.hooks.poststop[0].path, "/bin/f");
  EXPECT_EQ(config.annotations.at("com.example.key"), "value");
}

TEST(Config, TheLinuxPartIsRead) {
  const Linux part = parsed(kExample).linux_part;
  EXPECT_EQ(part.namespaces.size(), 8U);
  EXPECT_EQ(find_namespace(part.namespaces, NamespaceType::network)->path, "/run/netns/a");
  EXPECT_THAT(part.uid_mappings, ElementsAre(idmap::Extent{0, 100000, 65536}));
  ASSERT_EQ(part.sysctls.size(), 3U);
  EXPECT_EQ(part.sysctls[0].path, "fs/mqueue/msg_max");
  EXPECT_EQ(part.sysctls[1].path, "kernel/shmmax");
  EXPECT_EQ(part.sysctls[2].path, "net/ipv4/ip_forward");
  EXPECT_EQ(part.sysctls[2].value, "1");
  EXPECT_EQ(part.cgroups_path, "/machine/web");
  EXPECT_EQ(part.devices[0].mode, 0666U);
  EXPECT_EQ(part.devices[0].minor, 229U);
  EXPECT_EQ(part.devices[0].uid, ContainerUid(1));
  EXPECT_EQ(part.devices[1].type, 'p');
  EXPECT_TRUE(part.seccomp->notifies);
  EXPECT_EQ(part.seccomp->listener_path, "/run/agent.sock");
  EXPECT_THAT(part.seccomp->flags, ElementsAre("SECCOMP_FILTER_FLAG_LOG"));
  EXPECT_EQ(nlohmann::json::parse(part.seccomp->profile),
            nlohmann::json::parse(kExample)["linux"]["seccomp"]);
  EXPECT_EQ(*part.rootfs_propagation, (Propagation{MS_SLAVE, true}));
  EXPECT_THAT(part.masked_paths, ElementsAre("/proc/kcore"));
  EXPECT_THAT(part.readonly_paths, ElementsAre("/proc/sys"));
  EXPECT_EQ(part.mount_label, "u:o:t:s0");
  EXPECT_EQ(part.intel_rdt->clos_id, "group");
  EXPECT_TRUE(part.intel_rdt->enable_monitoring);
  EXPECT_EQ(part.personality, 8U);
  ASSERT_EQ(part.time_offsets.size(), 2U);
  EXPECT_EQ(part.time_offsets[1].clock, TimeOffset::Clock::monotonic);
  EXPECT_EQ(part.time_offsets[1].seconds, -7);
  EXPECT_EQ(part.time_offsets[1].nanoseconds, 5U);
}

TEST(Config, TheResourcesAreRead) {
  const Resources resources = *parsed(kExample).linux_part.resources;
  EXPECT_FALSE(resources.devices[0].allow);
  EXPECT_EQ(resources.devices[0].type, 'a');
  EXPECT_EQ(resources.devices[1].major, 10U);
  EXPECT_FALSE(resources.devices[1].minor);
  EXPECT_FALSE(resources.devices[1].mknod);
  EXPECT_EQ(resources.memory.reservation, -1);
  EXPECT_EQ(resources.memory.disable_oom_killer, false);
  EXPECT_EQ(resources.cpu.burst, 1000U);
  EXPECT_EQ(resources.cpu.cpus, "2-3");
  EXPECT_EQ(resources.pids_limit, 32771);
  EXPECT_EQ(resources.block_io.weight, 10);
  EXPECT_FALSE(resources.block_io.leaf_weight);
  EXPECT_EQ(resources.block_io.device_weights[0].weight, 500);
  EXPECT_EQ(resources.block_io.read_bytes[0].rate, 600U);
  EXPECT_EQ(resources.block_io.write_operations[0].minor, 16U);
  EXPECT_EQ(resources.hugepages[0].limit, 9223372036854775809U);
  EXPECT_EQ(resources.network.class_id, 1048577U);
  EXPECT_EQ(resources.network.priorities[0].name, "eth0");
  EXPECT_EQ(resources.rdma[0].handles, 3U);
  EXPECT_EQ(resources.unified.size(), 1U);
}

TEST(Config, LittleIsRequired) {
  const Config config = parsed(R"({"ociVersion":"1.0.0","root":{"path":"/r"}})");
  EXPECT_FALSE(config.process);
  EXPECT_FALSE(config.linux_part.resources);
  EXPECT_THAT(config.linux_part.namespaces, IsEmpty());
  const Process process = *parsed(R"({"ociVersion":"1.0.0-rc.1+b.2","root":{"path":"/r"},
    "process":{"args":["x"],"cwd":"/"}})")
                               .process;
  EXPECT_EQ(process.user.uid, ContainerUid(0));
  EXPECT_FALSE(process.capabilities);
}

TEST(Config, WhatIsUnknownOrNullIsIgnored) {
  EXPECT_THAT(warnings(changed(R"({"windows":{"x":[1]},"process":{"commandLine":"x","new":{}},
    "linux":{"vtpms":[1],"resources":{"new":1},"intelRdt":null,"sysctl":null,"namespaces":null,"uidMappings":null,
             "gidMappings":null,"timeOffsets":null,"maskedPaths":null,"readonlyPaths":[]},
    "hooks":{"new":1},"mounts":null,"hostname":"","domainname":null})")),
              IsEmpty());
}

TEST(Config, WithoutATerminalNobodyLooksAtItsSize) {
  EXPECT_FALSE(
      parsed(changed(R"({"process":{"terminal":false,"consoleSize":{"height":-1}}})")).process->console_size);
}

TEST(Config, MappingsOfAMountMeanAnIdMappedMount) {
  const std::string mapping = R"([{"containerID":0,"hostID":1,"size":1}])";
  const Config config =
      parsed(changed(R"({"mounts":[{"destination":"/a","type":"bind","source":"s","uidMappings":)" + mapping +
                     R"(,"gidMappings":)" + mapping + "}]}"));
  EXPECT_EQ(config.mounts[0].options.idmap, MountOptions::Idmap::mount);
  EXPECT_TRUE(config.mounts[0].options.bind);
}

// As `crun spec --rootless` has it, and as one that is joined.
TEST(Config, AUserNamespaceMayComeWithoutMappings) {
  for (const char* user : {R"({"type":"user"})", R"({"type":"user","path":"/proc/1/ns/user"})"}) {
    const Config config =
        parsed(changed(R"({"linux":{"uidMappings":null,"gidMappings":null,"namespaces":[)" +
                       std::string(user) + R"(,{"type":"mount"},{"type":"ipc"},{"type":"network"},
                                         {"type":"uts"},{"type":"time"}]}})"));
    EXPECT_THAT(config.linux_part.uid_mappings, IsEmpty());
  }
}

TEST(Config, SysctlNamesAreReadAsSysctlDoes) {
  const Config config = parsed(changed(R"({"linux":{"sysctl":{"net.ipv4.conf.eth0/1.forwarding":"1",
    "net/ipv4/conf/eth0.2/forwarding":"1"}}})"));
  const auto has_path = [](const char* path) { return testing::Field(&Sysctl::path, path); };
  EXPECT_THAT(config.linux_part.sysctls,
              testing::IsSupersetOf({has_path("net/ipv4/conf/eth0.1/forwarding"),
                                     has_path("net/ipv4/conf/eth0.2/forwarding")}));
}

TEST(Config, WhatIsOddButAllowedIsAWarning) {
  EXPECT_THAT(warnings(kExample), IsEmpty());
  EXPECT_THAT(
      warnings(changed(R"({"ociVersion":"1.9.0"})")),
      ElementsAre(R"(config.json: ociVersion: "1.9.0" is newer than 1.2.1, what is new in it is ignored)"));
  EXPECT_THAT(
      warnings(changed(R"({"mounts":[{"destination":"a/b","type":"proc"}]})")),
      ElementsAre(
          R"(config.json: mounts[0].destination: "a/b" is relative, it is taken as relative to "/")"));
  EXPECT_EQ(parsed(changed(R"({"mounts":[{"destination":"a/b","type":"proc"}]})")).mounts[0].destination,
            "/a/b");
  EXPECT_THAT(
      warnings(changed(R"({"process":{"capabilities":{"bounding":["CAP_KILL","CAP_NEW"]}}})")),
      ElementsAre(
          R"(config.json: process.capabilities.bounding[1]: "CAP_NEW" is not known, it is left out)"));
}

// Each place is looked for in the whole document.
TEST(Config, OnlyTheFirstWarningsCount) {
  std::string names = "\"X\"";
  for (int i = 0; i < 1000; ++i) names += ",\"X\"";
  const std::vector<std::string> all =
      warnings(changed(R"({"process":{"capabilities":{"bounding":[)" + names + "]}}}"));
  ASSERT_EQ(all.size(), 21U);
  EXPECT_EQ(all.back(), "there are more warnings, which are left out");
}

// `runc spec` has ambient capabilities that are not inheritable.
TEST(Config, CapabilitiesThatTheKernelWouldNotGiveAreLeftOut) {
  const std::string text = changed(R"({"process":{"capabilities":{"bounding":["CAP_KILL"],
    "effective":["CAP_KILL","CAP_CHOWN"],"permitted":["CAP_KILL"],"inheritable":["CAP_MKNOD","CAP_BPF"],
    "ambient":["CAP_KILL"]}}})");
  const sys::CapabilitySets sets = *parsed(text).process->capabilities;
  EXPECT_EQ(sets.effective, sets.permitted);
  EXPECT_EQ(sets.inheritable, 0U);
  EXPECT_EQ(sets.ambient, 0U);
  EXPECT_THAT(
      warnings(text),
      ElementsAre(
          "config.json: process.capabilities.inheritable: CAP_MKNOD, CAP_BPF can't be granted, not "
          "being in the bounding set",
          "config.json: process.capabilities.effective: CAP_CHOWN can't be granted, not being permitted",
          "config.json: process.capabilities.ambient: CAP_KILL can't be granted, not being both "
          "permitted and inheritable"));
}

// buildah's have all that is permitted, and nothing that is inheritable.
TEST(Config, AWarningOfManyCapabilitiesIsShort) {
  EXPECT_THAT(
      warnings(changed(R"({"process":{"capabilities":{"ambient":["CAP_CHOWN","CAP_FOWNER","CAP_SETGID",
    "CAP_SETUID","CAP_BPF"]}}})")),
      testing::Contains(
          "config.json: process.capabilities.ambient: CAP_CHOWN, CAP_FOWNER, CAP_SETGID and 2 more can't "
          "be granted, not being both permitted and inheritable"));
}

TEST(Config, AProcessOfExecIsADocumentOfItsOwn) {
  const nlohmann::json process = nlohmann::json::parse(kExample)["process"];
  const auto result = parse_process(process.dump());
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_THAT(result->process.args, ElementsAre("sh", "-c", "true"));
  EXPECT_EQ(parse_process(R"({"args":["x"],"cwd":"x"})").error().message,
            R"(process.json: cwd: "x" is not allowed, it must begin with "/")");
  EXPECT_EQ(parse_process("[]").error().message, "process.json must be an object, and is of type array");
}

TEST(Config, TheResourcesOfUpdateAreADocumentOfTheirOwn) {
  const auto result = parse_resources(R"({"memory":{"limit":1000},"cpu":{"shares":0,"cpus":""},"pids":{}})");
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->memory.limit, 1000);
  EXPECT_FALSE(result->pids_limit);
  EXPECT_EQ(parse_resources(R"({"memory":{"limit":-2}})").error().message,
            "the resources: memory.limit: -2 is not allowed, only -1 to 9223372036854775807");
}

}  // namespace
}  // namespace berth::bundle
