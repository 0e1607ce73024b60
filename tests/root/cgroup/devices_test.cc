// Device rules as the processes of a cgroup meet them, on v1 and by the program of v2.
#include "cgroup/devices.h"

#include <array>
#include <cerrno>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "own_cgroup.h"
#include "sys/bpf.h"

namespace berth::cgroup {
namespace {

constexpr auto kCharacter = DeviceType::character;

class OwnDevices : public OwnCgroup {
 protected:
  // What a process in the cgroup gets: errno of opening a device, 0 for success.
  int opening(const Cgroup& in, const char* path, int flags) {
    std::array<int, 2> answer{};
    if (::pipe(answer.data()) != 0) return -1;
    const auto entrances = in.entrances(false).value();
    process([&] {
      int found = enter(entrances) ? 0 : -1;
      if (found == 0 && ::open(path, flags | O_CLOEXEC) < 0) found = errno;
      [[maybe_unused]] const auto told = ::write(answer[1], &found, sizeof found);
    });
    int found = -1;
    EXPECT_EQ(::read(answer[0], &found, sizeof found), ssize_t{sizeof found});
    for (const int end : answer) ::close(end);
    return found;
  }

  void check(const Cgroup& in) {
    const auto set = [&](const std::vector<DeviceRule>& own) {
      const auto applied = apply_devices(in, rules_of_container(own));
      ASSERT_TRUE(applied) << applied.error().message << " " << applied.error().hint;
    };
    // /dev/kmsg is 1:11.
    set({});
    EXPECT_EQ(opening(in, "/dev/null", O_RDWR), 0);
    EXPECT_EQ(opening(in, "/dev/kmsg", O_RDONLY), EPERM);
    set({{true, kCharacter, 1, 11, kReadDevice}});
    EXPECT_EQ(opening(in, "/dev/kmsg", O_RDONLY), 0);
    EXPECT_EQ(opening(in, "/dev/kmsg", O_WRONLY), EPERM);
    EXPECT_EQ(opening(in, "/dev/kmsg", O_RDWR), EPERM) << "reading is allowed, but not with writing";
    set({});
    EXPECT_EQ(opening(in, "/dev/kmsg", O_RDONLY), EPERM) << "what is there again is what holds";
    EXPECT_EQ(opening(in, "/dev/zero", O_RDONLY), 0);
  }
};

TEST_F(OwnDevices, HoldInThisMachinesHierarchies) {
  check(cgroup());
}

TEST_F(OwnDevices, HoldByAProgramOnV2) {
  if (cgroup().v2() == nullptr) return;
  Hierarchies v2;
  v2.all = {*hierarchies().v2()};
  const Cgroup below = Cgroup::create(v2, path("/v2")).value();
  check(below);
  EXPECT_EQ(sys::attached_bpf(below.v2()->fd.get(), BPF_CGROUP_DEVICE).value().size(), 1U)
      << "the others are gone";
  ASSERT_TRUE(below.kill_all());
  ASSERT_TRUE(below.remove());
}

TEST_F(OwnDevices, TheKernelTakesAProgramOfManyRules) {
  std::vector<DeviceRule> rules;
  for (uint32_t minor = 0; minor < 1000; ++minor) {
    rules.push_back({minor % 3 != 0, static_cast<DeviceType>(minor % 3), minor % 7, minor,
                     static_cast<uint8_t>(1 + minor % 7)});
  }
  std::vector<DeviceRule> most;  // whose places are nearly as many as are taken
  for (uint32_t number = 0; number < 63; ++number) {
    most.push_back({true, DeviceType::all, number, std::nullopt, kReadDevice});
    most.push_back({true, DeviceType::all, std::nullopt, number, kWriteDevice});
  }
  for (const std::vector<DeviceRule>& some :
       {rules, most, rules_of_container(rules), std::vector<DeviceRule>(),
        std::vector<DeviceRule>{{.allow = true}}}) {
    const auto loaded =
        sys::load_bpf(BPF_PROG_TYPE_CGROUP_DEVICE, device_program(some).value(), "berth_test");
    EXPECT_TRUE(loaded) << loaded.error().message;
  }
}

TEST_F(OwnDevices, WhyAProgramIsRefusedIsTold) {
  const bpf_insn nothing{.code = BPF_JMP | BPF_EXIT};
  const auto loaded = sys::load_bpf(BPF_PROG_TYPE_CGROUP_DEVICE, {&nothing, 1}, "berth_test");
  ASSERT_FALSE(loaded);
  EXPECT_THAT(loaded.error().message, testing::HasSubstr("load the BPF program berth_test: "));
}

}  // namespace
}  // namespace berth::cgroup
