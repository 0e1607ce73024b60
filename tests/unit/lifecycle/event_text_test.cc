#include "lifecycle/event_text.h"

#include <nlohmann/json.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace berth::lifecycle {
namespace {

using nlohmann::json;

TEST(EventText, StatisticsHaveTheShapeThatOthersRead) {
  cgroup::Statistics statistics;
  statistics.cpu = {.usage_ns = 30,
                    .user_ns = 10,
                    .system_ns = 20,
                    .usage_of_each_ns = {1, 2},
                    .periods = 5,
                    .throttled_periods = 6,
                    .throttled_ns = 7};
  statistics.cpu.pressure = cgroup::Pressure{{1.5, 2.5, 3.5, 4}, {}};
  statistics.memory.memory = cgroup::Usage{.now = 100, .limit = 200, .most = 150, .failed = 3};
  statistics.memory.memory_and_swap = cgroup::Usage{.now = 110};
  statistics.memory.cache = 9;
  statistics.memory.oom_kills = 1;
  statistics.memory.raw = {{"anon", 8}};
  statistics.pids = cgroup::Usage{.now = 4, .limit = 77};
  statistics.io.bytes = {{{8, 1}, "Read", 4096}};
  statistics.hugepages = {{"2MB", {.now = 1, .failed = 2}}};
  const std::string line = *stats_event("web", statistics);
  EXPECT_EQ(line.find('\n'), std::string::npos);
  EXPECT_EQ(json::parse(line), json::parse(R"({"type": "stats", "id": "web", "data": {
    "cpu": {"usage": {"total": 30, "kernel": 20, "user": 10, "percpu": [1, 2]},
            "throttling": {"periods": 5, "throttledPeriods": 6, "throttledTime": 7},
            "psi": {"some": {"avg10": 1.5, "avg60": 2.5, "avg300": 3.5, "total": 4},
                    "full": {"avg10": 0.0, "avg60": 0.0, "avg300": 0.0, "total": 0}}},
    "cpuset": {},
    "memory": {"usage": {"limit": 200, "usage": 100, "max": 150, "failcnt": 3},
               "swap": {"limit": 18446744073709551615, "usage": 110, "failcnt": 0},
               "kernel": {"limit": 0, "failcnt": 0}, "kernelTCP": {"limit": 0, "failcnt": 0},
               "cache": 9, "raw": {"anon": 8}, "event_count": {"oom_kill": 1}},
    "pids": {"current": 4, "limit": 77},
    "blkio": {"ioServiceBytesRecursive": [{"major": 8, "minor": 1, "op": "Read", "value": 4096}]},
    "hugetlb": {"2MB": {"usage": 1, "failcnt": 2}},
    "intel_rdt": {}, "network_interfaces": null}})"));
}

TEST(EventText, WhatTheHostDoesNotTellIsLeftOut) {
  const json event = json::parse(*stats_event("a", {}));
  EXPECT_EQ(event["data"]["cpu"]["throttling"], json::object());
  EXPECT_EQ(event["data"]["pids"], json::object());
  EXPECT_EQ(event["data"]["blkio"], json::object());
  EXPECT_FALSE(event["data"]["memory"].contains("raw"));
}

TEST(EventText, OutOfMemory) {
  EXPECT_EQ(json::parse(*oom_event("web")), json::parse(R"({"type": "oom", "id": "web"})"));
}

}  // namespace
}  // namespace berth::lifecycle
