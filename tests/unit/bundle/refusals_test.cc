// What a configuration is refused for, and in which words: the place, the value, and what would be right.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bundle/config.h"
#include "example.h"

namespace berth::bundle {
namespace {

using testing::HasSubstr;

struct Case {
  const char* patch;    // of the example
  const char* message;  // without "config.json: "
};

std::string refusal(const std::string& text) {
  const Result<ParsedConfig> result = parse_config(text);
  return result ? "accepted" : result.error().message;
}

void expect_refused(const std::vector<Case>& cases) {
  for (const Case& one : cases) {
    EXPECT_EQ(refusal(changed(one.patch)), std::string("config.json: ") + one.message) << one.patch;
  }
}

TEST(Refusals, TheDocument) {
  expect_refused({
      {R"({"ociVersion":null})", R"("ociVersion" is missing)"},
      {R"({"ociVersion":"1.2"})",
       R"(ociVersion: "1.2" is not allowed, it must be a version such as "1.2.0")"},
      {R"({"ociVersion":"1.02.0"})",
       R"(ociVersion: "1.02.0" is not allowed, it must be a version such as "1.2.0")"},
      {R"({"ociVersion":"1.2.0-"})",
       R"(ociVersion: "1.2.0-" is not allowed, it must be a version such as "1.2.0")"},
      {R"({"ociVersion":"1.2.0-a..b"})",
       R"(ociVersion: "1.2.0-a..b" is not allowed, it must be a version such as "1.2.0")"},
      {R"({"ociVersion":"1.2.0+é"})",
       R"(ociVersion: "1.2.0+é" is not allowed, it must be a version such as "1.2.0")"},
      {R"({"ociVersion":"0.9.0"})", R"(ociVersion: "0.9.0" is not allowed, only versions 1.x.y are known)"},
      {R"({"ociVersion":"2.0.0"})", R"(ociVersion: "2.0.0" is not allowed, only versions 1.x.y are known)"},
      {R"({"ociVersion":1.2})", R"(ociVersion must be a string, and is of type number: 1.2)"},
      {R"({"root":null})", R"("root" is missing)"},
      {R"({"root":{"path":null}})", R"(root: "path" is missing)"},
      {R"({"root":{"path":""}})", R"(root.path: "" is not allowed)"},
      {R"({"root":{"readonly":"yes"}})", R"(root.readonly must be a boolean, and is of type string: "yes")"},
      {R"({"annotations":{"a":1}})", "annotations.a must be a string, and is of type number: 1"},
      {R"({"annotations":{"":"x"}})", "annotations: a name is empty"},
      {R"({"hostname":"a\nb"})", R"(hostname: "a\nb" is not allowed, it has several lines)"},
      {R"({"linux":{"sysctl":{"kernel.hostname":"b"}}})",
       R"(hostname: "web" is not allowed, linux.sysctl sets kernel.hostname too)"},
      {R"({"linux":{"sysctl":{"kernel/domainname":"b"}}})",
       R"(domainname: "example.test" is not allowed, linux.sysctl sets kernel.domainname too)"},
      {R"({"linux":[]})", "linux must be an object, and is of type array"},
  });
  EXPECT_EQ(
      refusal(changed(R"({"hostname":")" + std::string(65, 'h') + "\"}")),
      "config.json: hostname: \"" + std::string(64, 'h') + "\"… is not allowed, it has more than 64 bytes");
}

TEST(Refusals, TheProcess) {
  expect_refused({
      {R"({"process":{"args":null}})", R"(process: "args" is missing)"},
      {R"({"process":{"args":[]}})", "process.args: it must have at least one element"},
      {R"({"process":{"args":["",""]}})", R"(process.args[0]: "" is not allowed)"},
      {R"({"process":{"args":["a",1]}})", "process.args[1] must be a string, and is of type number: 1"},
      {R"({"process":{"cwd":null}})", R"(process: "cwd" is missing)"},
      {R"({"process":{"cwd":"tmp"}})", R"(process.cwd: "tmp" is not allowed, it must begin with "/")"},
      {R"({"process":{"env":["A=1","B"]}})", R"(process.env[1]: "B" is not allowed, it must be NAME=VALUE)"},
      {R"({"process":{"env":["=1"]}})", R"(process.env[0]: "=1" is not allowed, it must be NAME=VALUE)"},
      {R"({"process":{"user":{"uid":null}}})", R"(process.user: "uid" is missing)"},
      {R"({"process":{"user":{"gid":null}}})", R"(process.user: "gid" is missing)"},
      {R"({"process":{"user":{"uid":-1}}})", "process.user.uid: -1 is not allowed, only 0 to 4294967294"},
      {R"({"process":{"user":{"uid":4294967295}}})",
       "process.user.uid: 4294967295 is not allowed, only 0 to 4294967294"},
      {R"({"process":{"user":{"uid":"root"}}})",
       R"(process.user.uid must be an integer, and is of type string: "root")"},
      {R"({"process":{"user":{"uid":1.5}}})",
       "process.user.uid must be an integer, and is of type number: 1.5"},
      {R"({"process":{"user":{"umask":512}}})", "process.user.umask: 512 is not allowed, only 0 to 511"},
      {R"({"process":{"user":{"additionalGids":[1,4294967295]}}})",
       "process.user.additionalGids[1]: 4294967295 is not allowed, only 0 to 4294967294"},
      {R"({"process":{"consoleSize":{"height":null}}})", R"(process.consoleSize: "height" is missing)"},
      {R"({"process":{"consoleSize":{"width":65536}}})",
       "process.consoleSize.width: 65536 is not allowed, only 0 to 65535"},
      {R"({"process":{"terminal":1}})", "process.terminal must be a boolean, and is of type number: 1"},
      {R"({"process":{"oomScoreAdj":1001}})", "process.oomScoreAdj: 1001 is not allowed, only -1000 to 1000"},
      {R"({"process":{"apparmorProfile":"a\nb"}})",
       R"(process.apparmorProfile: "a\nb" is not allowed, it has several lines)"},
      {R"({"process":{"capabilities":{"bounding":"CAP_KILL"}}})",
       R"(process.capabilities.bounding must be an array, and is of type string: "CAP_KILL")"},
      {R"({"process":{"rlimits":[{"type":"RLIMIT_NOFILE","soft":2,"hard":1}]}})",
       R"(process.rlimits[0].soft: 2 is not allowed, it is more than "hard", 1)"},
      {R"({"process":{"rlimits":[{"type":"RLIMIT_CPU","soft":1,"hard":1},{"type":"RLIMIT_CPU","soft":1,"hard":1}]}})",
       R"(process.rlimits[1].type: "RLIMIT_CPU" is given twice)"},
      {R"({"process":{"rlimits":[{"type":"RLIMIT_CPU","soft":1}]}})",
       R"(process.rlimits[0]: "hard" is missing)"},
      {R"({"process":{"rlimits":[{"type":"RLIMIT_CPU","soft":-1,"hard":1}]}})",
       "process.rlimits[0].soft: -1 is not allowed, only 0 to 18446744073709551615"},
  });
  EXPECT_THAT(refusal(changed(R"({"process":{"rlimits":[{"type":"NOFILE","soft":1,"hard":1}]}})")),
              HasSubstr(R"(process.rlimits[0].type: "NOFILE" is not allowed, only RLIMIT_AS, RLIMIT_CORE)"));
}

TEST(Refusals, TheScheduling) {
  expect_refused({
      {R"({"process":{"scheduler":{"policy":null}}})", R"(process.scheduler: "policy" is missing)"},
      {R"({"process":{"scheduler":{"policy":"FIFO"}}})",
       R"(process.scheduler.policy: "FIFO" is not allowed, only SCHED_OTHER, SCHED_FIFO, SCHED_RR, SCHED_BATCH, )"
       "SCHED_ISO, SCHED_IDLE, SCHED_DEADLINE"},
      {R"({"process":{"scheduler":{"nice":20}}})",
       "process.scheduler.nice: 20 is not allowed, only -20 to 19"},
      {R"({"process":{"scheduler":{"priority":100}}})",
       "process.scheduler.priority: 100 is not allowed, only 1 to 99"},
      {R"({"process":{"scheduler":{"priority":null}}})",
       R"(process.scheduler: "priority" is missing, which SCHED_FIFO and SCHED_RR need)"},
      {R"({"process":{"scheduler":{"policy":"SCHED_BATCH"}}})",
       "process.scheduler.priority: 10 is not allowed, only 0 to 0"},
      {R"({"process":{"scheduler":{"runtime":1}}})",
       "process.scheduler.runtime: 1 is not allowed, only with SCHED_DEADLINE"},
      {R"({"process":{"scheduler":{"policy":"SCHED_DEADLINE","priority":0,"runtime":3000,"deadline":2000}}})",
       "process.scheduler: runtime 3000, deadline 2000 and period 0 are not allowed, it must be 1024 <= "
       "runtime <= "
       "deadline <= period"},
      {R"({"process":{"ioPriority":{"class":"IDLE"}}})",
       R"(process.ioPriority.class: "IDLE" is not allowed, only IOPRIO_CLASS_RT, IOPRIO_CLASS_BE, IOPRIO_CLASS_IDLE)"},
      {R"({"process":{"ioPriority":{"priority":8}}})",
       "process.ioPriority.priority: 8 is not allowed, only 0 to 7"},
      {R"({"process":{"ioPriority":{"priority":null}}})", R"(process.ioPriority: "priority" is missing)"},
  });
  for (const char* list : {"x", "3-1", "1,", ",1", "0-", "-1", "0-8192", "1 2", "0-1-2", "+1"}) {
    EXPECT_EQ(
        refusal(changed(fmt::format(R"({{"process":{{"execCPUAffinity":{{"final":"{}"}}}}}})", list))),
        fmt::format("config.json: process.execCPUAffinity.final: \"{}\" is not allowed, it must be a list of "
                    "CPUs such as \"0-3,7\"",
                    list));
  }
  EXPECT_THAT(refusal(changed(R"({"process":{"scheduler":{"flags":["X"]}}})")),
              HasSubstr(R"(process.scheduler.flags[0]: "X" is not allowed, only SCHED_FLAG_RESET_ON_FORK)"));
}

TEST(Refusals, TheMounts) {
  expect_refused({
      {R"({"mounts":[{"type":"proc"}]})", R"(mounts[0]: "destination" is missing)"},
      {R"({"mounts":[{"destination":"","type":"proc"}]})", R"(mounts[0].destination: "" is not allowed)"},
      {R"({"mounts":[{"destination":"/a"}]})", R"(mounts[0]: "type" is missing, and it is not a bind mount)"},
      {R"({"mounts":[{"destination":"/a","options":["bind"]}]})",
       R"(mounts[0]: "source" is missing, which a bind mount needs)"},
      {R"({"mounts":[{"destination":"/a","type":"tmpfs","options":["idmap=x"]}]})",
       R"(mounts[0].options: "idmap=x" is not of the form idmap=uids=DISK-HOST-COUNT#…;gids=…)"},
      {R"({"mounts":[{"destination":"/a","type":"tmpfs","uidMappings":[{"containerID":0,"hostID":0,"size":1}]}]})",
       R"(mounts[0]: "gidMappings" is missing, which goes with the other mappings)"},
      {R"({"mounts":[{"destination":"/a","type":"tmpfs","options":["idmap=uids=0-1-1;gids=0-1-1"],
          "uidMappings":[{"containerID":0,"hostID":0,"size":1}],
          "gidMappings":[{"containerID":0,"hostID":0,"size":1}]}]})",
       R"(mounts[0]: it has IDs both in "idmap=" and in "uidMappings")"},
      {R"({"mounts":[{"destination":"/a","type":"tmpfs","options":["idmap"]}],
          "linux":{"uidMappings":null,"gidMappings":null,"timeOffsets":null,
                   "namespaces":[{"type":"mount"},{"type":"uts"},{"type":"ipc"},{"type":"network"}]}})",
       R"(mounts[0]: "idmap" needs "uidMappings" and "gidMappings" where there is no user namespace)"},
      {R"({"linux":{"rootfsPropagation":"cake"}})",
       R"(linux.rootfsPropagation: "cake" is not allowed, only private, rprivate, rshared, rslave, runbindable, )"
       "shared, slave, unbindable"},
      {R"({"linux":{"maskedPaths":["proc"]}})",
       R"(linux.maskedPaths[0]: "proc" is not allowed, it must begin with "/")"},
      {R"({"linux":{"readonlyPaths":["/a",""]}})",
       R"(linux.readonlyPaths[1]: "" is not allowed, it must begin with "/")"},
  });
  EXPECT_EQ(
      refusal(
          R"({"ociVersion":"1.0.0","root":{"path":"/r"},"mounts":[{"destination":"/a","type":"tmpfs"}]})"),
      "config.json: mounts: it needs a mount namespace in linux.namespaces");
  EXPECT_EQ(refusal(R"({"ociVersion":"1.0.0","root":{"path":"/r"},"linux":{"maskedPaths":["/a"]}})"),
            "config.json: linux.maskedPaths: it needs a mount namespace in linux.namespaces");
}

TEST(Refusals, TheHooks) {
  expect_refused({
      {R"({"hooks":{"prestart":[{"args":["a"]}]}})", R"(hooks.prestart[0]: "path" is missing)"},
      {R"({"hooks":{"poststop":[{"path":"a"}]}})",
       R"(hooks.poststop[0].path: "a" is not allowed, it must begin with "/")"},
      {R"({"hooks":{"createRuntime":[{"path":"/a","timeout":0}]}})",
       "hooks.createRuntime[0].timeout: 0 is not allowed, it must be greater than 0"},
      {R"({"hooks":{"createContainer":[{"path":"/a","timeout":-1}]}})",
       "hooks.createContainer[0].timeout: -1 is not allowed, it must be greater than 0"},
      {R"({"hooks":{"startContainer":[{"path":"/a","env":["X"]}]}})",
       R"(hooks.startContainer[0].env[0]: "X" is not allowed, it must be NAME=VALUE)"},
      {R"({"hooks":{"poststart":{}}})", "hooks.poststart must be an array, and is of type object"},
  });
}

TEST(Refusals, TheNamespacesAndWhatNeedsThem) {
  expect_refused({
      {R"({"linux":{"namespaces":[{"type":"pid"},{"type":"pid","path":"/x"}]}})",
       R"(linux.namespaces[1].type: "pid" is given twice)"},
      {R"({"linux":{"namespaces":[{"type":"net"}]}})",
       R"(linux.namespaces[0].type: "net" is not allowed, only cgroup, ipc, mount, network, pid, time, user, uts)"},
      {R"({"linux":{"namespaces":[{}]}})", R"(linux.namespaces[0]: "type" is missing)"},
      {R"({"linux":{"namespaces":[{"type":"pid","path":"x"}]}})",
       R"(linux.namespaces[0].path: "x" is not allowed, it must begin with "/")"},
      {R"({"linux":{"namespaces":[{"type":"mount"}]}})",
       "linux.uidMappings: it needs a user namespace in linux.namespaces"},
      {R"({"linux":{"uidMappings":[]}})",
       R"(linux: "uidMappings" is missing, which goes with the other mappings)"},
      {R"({"linux":{"gidMappings":null}})",
       R"(linux: "gidMappings" is missing, which goes with the other mappings)"},
      {R"({"linux":{"namespaces":[{"type":"user"},{"type":"time","path":"/x"}]}})",
       "linux.timeOffsets: it needs a new time namespace in linux.namespaces"},
      {R"({"linux":{"timeOffsets":{"realtime":{}}}})",
       "linux.timeOffsets.realtime: there is no such clock, only monotonic and boottime"},
      {R"({"linux":{"timeOffsets":{"boottime":{"nanosecs":1000000000}}}})",
       "linux.timeOffsets.boottime.nanosecs: 1000000000 is not allowed, only 0 to 999999999"},
      {R"({"linux":{"sysctl":null,"namespaces":[{"type":"user"},{"type":"time"},{"type":"mount"}]}})",
       R"(hostname: "web" is not allowed without a namespace of type "uts")"},
  });
}

TEST(Refusals, TheMappings) {
  const auto mapped = [](const std::string& list) {
    return refusal(changed(R"({"linux":{"uidMappings":)" + list + "}}"));
  };
  const auto entry = [](uint64_t inside, uint64_t outside, uint64_t size) {
    return fmt::format(R"({{"containerID":{},"hostID":{},"size":{}}})", inside, outside, size);
  };
  EXPECT_EQ(mapped("[" + entry(0, 1, 1) + "," + entry(1, 2, 1) + "," + entry(2, 3, 0) + "]"),
            "config.json: linux.uidMappings[2].size: 0 is not allowed");
  EXPECT_EQ(mapped("[" + entry(0, 4294967295, 1) + "]"),
            "config.json: linux.uidMappings[0].hostID: 4294967295 is not allowed, only 0 to 4294967294");
  EXPECT_EQ(
      mapped("[" + entry(0, 4294967290, 6) + "]"),
      "config.json: linux.uidMappings[0].size: 6 is not allowed, 6 IDs from 4294967290 on would go beyond "
      "4294967294");
  EXPECT_EQ(
      mapped("[" + entry(4294967294, 0, 4294967295) + "]"),
      "config.json: linux.uidMappings[0].size: 4294967295 is not allowed, 4294967295 IDs from 4294967294 on "
      "would go beyond 4294967294");
  EXPECT_EQ(mapped("[" + entry(5, 0, 2) + "," + entry(0, 100, 6) + "]"),
            "config.json: linux.uidMappings[1].containerID: 0 is not allowed, the entry overlaps [0]");
  EXPECT_EQ(mapped("[" + entry(0, 0, 2) + "," + entry(10, 1, 1) + "]"),
            "config.json: linux.uidMappings[1].hostID: 1 is not allowed, the entry overlaps [0]");
  EXPECT_EQ(mapped("[" + entry(0, 0, 2) + ",{\"containerID\":5,\"size\":1}]"),
            "config.json: linux.uidMappings[1]: \"hostID\" is missing");
  std::string many;
  for (uint64_t i = 0; i < 341; ++i) many += (i == 0 ? "" : ",") + entry(i, i, 1);
  EXPECT_EQ(mapped("[" + many + "]"),
            "config.json: linux.uidMappings: 341 elements are not allowed, only 340");
  std::string wide;
  for (uint64_t i = 0; i < 340; ++i) wide += (i == 0 ? "" : ",") + entry(i * 10, 4000000000 + i * 2, 1);
  EXPECT_THAT(mapped("[" + wide + "]"), HasSubstr("config.json: linux.uidMappings: "));
}

TEST(Refusals, TheSysctls) {
  const auto refused = [](const std::string& name) {
    return refusal(changed(R"({"linux":{"sysctl":{")" + name + R"(":"1"}}})"));
  };
  for (const char* host : {"kernel.core_pattern", "vm.max_map_count", "kernel.pid_max", "fs.file-max", "net",
                           "kernel.msgmax2", "netx.a", "user.max_user_namespaces", "kernel"}) {
    EXPECT_EQ(refused(host),
              fmt::format("config.json: linux.sysctl.{}: \"1\" is not allowed, the name is that of a "
                          "setting of the whole host",
                          host));
  }
  for (const char* name : {"net..x", "net/../kernel/core_pattern", "net.//.x", "/net/x", ".net.x", "net.x.",
                           "net/./x", "net.a b", "net.a\\nb"}) {
    EXPECT_THAT(refused(name), HasSubstr("the name has an empty part, \"..\", or a blank in it")) << name;
  }
  const std::string none = R"("namespaces":[{"type":"user"},{"type":"time"},{"type":"mount"}])";
  for (const auto& [name, type] : {std::pair{"kernel.shmmni", "ipc"},
                                   {"fs.mqueue.msg_max", "ipc"},
                                   {"net.core.somaxconn", "network"},
                                   {"kernel.domainname", "uts"},
                                   {"kernel/hostname", "uts"}}) {
    const std::string document = R"({"ociVersion":"1.0.0","root":{"path":"r"},"linux":{"sysctl":{")" +
                                 std::string(name) + R"(":"1"}}})";
    EXPECT_EQ(
        refusal(document),
        fmt::format("config.json: linux.sysctl.{}: \"1\" is not allowed without a namespace of type \"{}\"",
                    name, type));
  }
  EXPECT_EQ(refusal(changed(R"({"linux":{"sysctl":{"net.a.b":"1","net/a/b":"2"}}})")),
            "config.json: linux.sysctl: \"net/a/b\" is given twice");
  EXPECT_EQ(refusal(changed(R"({"linux":{"sysctl":{"net.a.b":1}}})")),
            "config.json: linux.sysctl.net.a.b must be a string, and is of type number: 1");
}

TEST(Refusals, TheDevices) {
  expect_refused({
      {R"({"linux":{"devices":[{"type":"c","major":1,"minor":1}]}})",
       R"(linux.devices[0]: "path" is missing)"},
      {R"({"linux":{"devices":[{"type":"c","path":"/a","minor":1}]}})",
       R"(linux.devices[0]: "major" is missing)"},
      {R"({"linux":{"devices":[{"type":"x","path":"/a"}]}})",
       R"(linux.devices[0].type: "x" is not allowed, only b, c, p, u)"},
      {R"({"linux":{"devices":[{"type":"p","path":"a"}]}})",
       R"(linux.devices[0].path: "a" is not allowed, it must begin with "/")"},
      {R"({"linux":{"devices":[{"type":"c","path":"/a","major":4096,"minor":1}]}})",
       "linux.devices[0].major: 4096 is not allowed, only 0 to 4095"},
      {R"({"linux":{"devices":[{"type":"b","path":"/a","major":1,"minor":1048576}]}})",
       "linux.devices[0].minor: 1048576 is not allowed, only 0 to 1048575"},
      {R"({"linux":{"devices":[{"type":"p","path":"/a","fileMode":65536}]}})",
       "linux.devices[0].fileMode: 65536 is not allowed, only 0 to 65535"},
      {R"({"linux":{"devices":[{"type":"p","path":"/a","uid":4294967295}]}})",
       "linux.devices[0].uid: 4294967295 is not allowed, only 0 to 4294967294"},
      {R"({"linux":{"resources":{"devices":[{"access":"r"}]}}})",
       R"(linux.resources.devices[0]: "allow" is missing)"},
      {R"({"linux":{"resources":{"devices":[{"allow":true,"type":"p"}]}}})",
       R"(linux.resources.devices[0].type: "p" is not allowed, only a, b, c)"},
      {R"({"linux":{"resources":{"devices":[{"allow":true,"access":"rx"}]}}})",
       R"(linux.resources.devices[0].access: "rx" is not allowed, only letters of "rwm")"},
      {R"({"linux":{"resources":{"devices":[{"allow":true,"major":-2}]}}})",
       "linux.resources.devices[0].major: -2 is not allowed, only -1 to 4095"},
  });
}

TEST(Refusals, TheResources) {
  expect_refused({
      {R"({"linux":{"resources":{"memory":{"limit":-2}}}})",
       "linux.resources.memory.limit: -2 is not allowed, only -1 to 9223372036854775807"},
      {R"({"linux":{"resources":{"memory":{"limit":9223372036854775808}}}})",
       "linux.resources.memory.limit: 9223372036854775808 is not allowed, only -1 to 9223372036854775807"},
      {R"({"linux":{"resources":{"memory":{"limit":99999999999999999999}}}})",
       "linux.resources.memory.limit must be an integer, and is of type number: 1e+20"},
      {R"({"linux":{"resources":{"memory":{"swappiness":101}}}})",
       "linux.resources.memory.swappiness: 101 is not allowed, only 0 to 100"},
      {R"({"linux":{"resources":{"memory":{"limit":9,"swap":8}}}})",
       R"(linux.resources.memory.swap: 8 is not allowed, it is memory and swap together and less than "limit", 9)"},
      {R"({"linux":{"resources":{"cpu":{"burst":1000001}}}})",
       R"(linux.resources.cpu.burst: 1000001 is not allowed, it is more than "quota", 1000000)"},
      {R"({"linux":{"resources":{"cpu":{"cpus":"3-0"}}}})",
       R"(linux.resources.cpu.cpus: "3-0" is not allowed, it must be a list such as "0-3,7")"},
      {R"({"linux":{"resources":{"cpu":{"idle":2}}}})",
       "linux.resources.cpu.idle: 2 is not allowed, only 0 to 1"},
      {R"({"linux":{"resources":{"cpu":{"shares":-1}}}})",
       "linux.resources.cpu.shares: -1 is not allowed, only 0 to 18446744073709551615"},
      {R"({"linux":{"resources":{"blockIO":{"weight":9}}}})",
       "linux.resources.blockIO.weight: 9 is not allowed, only 10 to 1000"},
      {R"({"linux":{"resources":{"blockIO":{"weightDevice":[{"major":8,"minor":0}]}}}})",
       R"(linux.resources.blockIO.weightDevice[0]: "weight" or "leafWeight" is missing)"},
      {R"({"linux":{"resources":{"blockIO":{"throttleReadIOPSDevice":[{"major":8,"minor":0}]}}}})",
       R"(linux.resources.blockIO.throttleReadIOPSDevice[0]: "rate" is missing)"},
      {R"({"linux":{"resources":{"hugepageLimits":[{"pageSize":"2M","limit":1}]}}})",
       R"(linux.resources.hugepageLimits[0].pageSize: "2M" is not allowed, it must be a size such as "2MB")"},
      {R"({"linux":{"resources":{"hugepageLimits":[{"pageSize":"../2MB","limit":1}]}}})",
       R"(linux.resources.hugepageLimits[0].pageSize: "../2MB" is not allowed, it must be a size such as "2MB")"},
      {R"({"linux":{"resources":{"network":{"priorities":[{"name":"eth0 1","priority":1}]}}}})",
       R"(linux.resources.network.priorities[0].name: "eth0 1" is not allowed, no interface can have this name)"},
      {R"({"linux":{"resources":{"rdma":{"a":{}}}}})",
       R"(linux.resources.rdma.a: "hcaHandles" or "hcaObjects" is missing)"},
      {R"({"linux":{"resources":{"rdma":{"a\nb":{"hcaHandles":1}}}}})",
       "linux.resources.rdma.a\nb: the device's name is not allowed"},
      {R"({"linux":{"resources":{"unified":{"../memory.max":"1"}}}})",
       "linux.resources.unified.../memory.max: the name is not allowed, it must be that of a file of a "
       "cgroup"},
      {R"({"linux":{"resources":{"unified":{"memory.max":1}}}})",
       "linux.resources.unified.memory.max must be a string, and is of type number: 1"},
      {R"({"linux":{"cgroupsPath":"/a/../b"}})",
       R"(linux.cgroupsPath: "/a/../b" is not allowed, it has a part "..")"},
  });
}

TEST(Refusals, TheRestOfTheLinuxPart) {
  expect_refused({
      {R"({"linux":{"seccomp":{"defaultAction":null}}})", R"(linux.seccomp: "defaultAction" is missing)"},
      {R"({"linux":{"seccomp":{"listenerPath":null}}})",
       R"(linux.seccomp.listenerMetadata: "m" is not allowed without "listenerPath")"},
      {R"({"linux":{"seccomp":{"listenerPath":null,"listenerMetadata":null}}})",
       R"(linux.seccomp: "listenerPath" is missing, which SCMP_ACT_NOTIFY needs)"},
      {R"({"linux":{"seccomp":{"flags":["X"]}}})",
       R"(linux.seccomp.flags[0]: "X" is not allowed, only SECCOMP_FILTER_FLAG_TSYNC, SECCOMP_FILTER_FLAG_LOG, )"
       "SECCOMP_FILTER_FLAG_SPEC_ALLOW, SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"},
      {R"({"linux":{"seccomp":{"syscalls":[{}]}}})", R"(linux.seccomp.syscalls[0]: "action" is missing)"},
      {R"({"linux":{"intelRdt":{"closID":"../x"}}})",
       R"(linux.intelRdt.closID: "../x" is not allowed, it must be the name of a directory)"},
      {R"({"linux":{"intelRdt":{"memBwSchema":"L3:0"}}})",
       R"(linux.intelRdt.memBwSchema: "L3:0" is not allowed, it must begin with "MB:")"},
      {R"({"linux":{"intelRdt":{"memBwSchema":"MB:0\nL3:1"}}})",
       R"(linux.intelRdt.memBwSchema: "MB:0\nL3:1" is not allowed, it has several lines)"},
      {R"({"linux":{"personality":{"domain":"BSD"}}})",
       R"(linux.personality.domain: "BSD" is not allowed, only LINUX, LINUX32)"},
      {R"({"linux":{"personality":{"flags":["ADDR_NO_RANDOMIZE"]}}})",
       R"(linux.personality.flags[0]: "ADDR_NO_RANDOMIZE" is not allowed, there are no flags yet)"},
  });
}

// What would cost time or memory without end, or means something else to each reader.
TEST(Refusals, HostileDocuments) {
  EXPECT_EQ(refusal(std::string(50 << 20, ' ')),
            "config.json: it has 52428800 bytes, and at most 16777216 are read");
  EXPECT_EQ(refusal(std::string(1 << 20, '[')), "config.json: it nests deeper than 64 levels");
  EXPECT_EQ(refusal(R"({"a":)" + std::string(1 << 20, '[')), "config.json: it nests deeper than 64 levels");
  std::string many = "[0";
  for (int i = 0; i < (1 << 18); ++i) many += ",0";
  EXPECT_EQ(refusal(many + "]"), "config.json: it has more than 262144 values");
  EXPECT_EQ(refusal(R"({"process":{"user":{"uid":1000,"gid":0,"uid":0}}})"),
            R"(config.json: process.user: "uid" is given twice)");
  EXPECT_EQ(refusal(R"({"a":1,"a":1})"), R"(config.json: "a" is given twice)");
  EXPECT_EQ(refusal(R"({"unknown":["a\u0000b"]})"), "config.json: unknown[0]: it holds a NUL byte");
  EXPECT_EQ(refusal(R"({"x":{"a\u0000b":1}})"), "config.json: x: the name of a member holds a NUL byte");
  EXPECT_EQ(refusal("{\"a\":\"\xff\"}"), "config.json: it is not valid JSON (at byte 7)");
  EXPECT_EQ(refusal(R"({"a":"\ud800"})"), "config.json: it is not valid JSON (at byte 13)");
  EXPECT_EQ(refusal(std::string("{\"a\":\0}", 7)), "config.json: it is not valid JSON (at byte 6)");
  EXPECT_EQ(refusal(R"({"a":1e999})"), "config.json: it is not valid JSON (at byte 10)");
  EXPECT_EQ(refusal("{} {}"), "config.json: it is not valid JSON (at byte 4)");
  EXPECT_EQ(refusal(""), "config.json: it is not valid JSON (at byte 1)");
  EXPECT_EQ(refusal("// a\n{}"), "config.json: it is not valid JSON (at byte 1)");
  EXPECT_EQ(refusal("[]"), "config.json must be an object, and is of type array");
  EXPECT_EQ(refusal("7"), "config.json must be an object, and is of type number: 7");
}

TEST(Refusals, ListsHaveBounds) {
  const auto list = [](size_t count, const std::string& element) {
    std::string text = "[" + element;
    for (size_t i = 1; i < count; ++i) text += "," + element;
    return text + "]";
  };
  EXPECT_EQ(refusal(changed(R"({"mounts":)" + list(4097, "{}") + "}")),
            "config.json: mounts: 4097 elements are not allowed, only 4096");
  EXPECT_EQ(refusal(changed(R"({"hooks":{"poststop":)" + list(257, "{}") + "}}")),
            "config.json: hooks.poststop: 257 elements are not allowed, only 256");
  EXPECT_EQ(refusal(changed(R"({"process":{"args":)" + list(65537, "\"a\"") + "}}")),
            "config.json: process.args: 65537 elements are not allowed, only 65536");
  EXPECT_EQ(refusal(changed(R"({"process":{"user":{"additionalGids":)" + list(65537, "1") + "}}}")),
            "config.json: process.user.additionalGids: 65537 elements are not allowed, only 65536");
  EXPECT_EQ(refusal(changed(R"({"mounts":[{"destination":"/a","type":"tmpfs","options":)" +
                            list(513, "\"ro\"") + "}]}")),
            "config.json: mounts[0].options: 513 elements are not allowed, only 512");
  EXPECT_EQ(refusal(changed(R"({"linux":{"maskedPaths":)" + list(4097, "\"/a\"") + "}}")),
            "config.json: linux.maskedPaths: 4097 elements are not allowed, only 4096");
}

// A null is as if the member were not there.
TEST(Refusals, NullsAreNot) {
  EXPECT_EQ(
      refusal(R"({"ociVersion":"1.0.0","root":{"path":"/r","readonly":null},"process":null,"mounts":null,
    "hooks":{"prestart":null},"annotations":null,"hostname":null,"linux":{"namespaces":null,"resources":
    {"memory":{"limit":null},"devices":null,"rdma":{"a":null},"blockIO":null},"sysctl":{"net.a":null},
    "timeOffsets":null,"seccomp":null,"personality":null,"rootfsPropagation":null}})"),
      "accepted");
}

}  // namespace
}  // namespace berth::bundle
