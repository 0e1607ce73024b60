#include "engine/capabilities.h"

#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/capability.h>

namespace berth::engine {
namespace {

using testing::HasSubstr;

constexpr uint64_t kAvailable = oci::capability_bit(CAP_LAST_CAP + 1) - 1;

Result<sys::CapabilitySets> resolve(std::vector<std::string> add, std::vector<std::string> drop,
                                    uint32_t uid = 0, bool privileged = false) {
  return resolve_capabilities({add, drop, privileged, kAvailable}, ContainerUid(uid));
}
uint64_t bounding(std::vector<std::string> add, std::vector<std::string> drop) {
  return resolve(std::move(add), std::move(drop)).value().bounding;
}
std::string refusal(std::vector<std::string> add, std::vector<std::string> drop) {
  const auto sets = resolve(std::move(add), std::move(drop));
  return sets ? "accepted" : sets.error().message;
}

TEST(Capabilities, TheDefaultIsPodmans) {
  uint64_t expected = 0;
  for (const int number :
       {CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_FOWNER, CAP_FSETID, CAP_KILL, CAP_NET_BIND_SERVICE, CAP_SETFCAP,
        CAP_SETGID, CAP_SETPCAP, CAP_SETUID, CAP_SYS_CHROOT}) {
    expected |= oci::capability_bit(static_cast<unsigned>(number));
  }
  const auto sets = resolve({}, {}).value();
  EXPECT_EQ(sets, (sys::CapabilitySets{expected, expected, expected, 0, 0}));
}

TEST(Capabilities, AddAndDrop) {
  const uint64_t base = default_capabilities();
  EXPECT_EQ(bounding({"NET_RAW"}, {}), base | oci::capability_bit(CAP_NET_RAW));
  EXPECT_EQ(bounding({}, {"chown"}), base & ~oci::capability_bit(CAP_CHOWN));
  EXPECT_EQ(bounding({}, {"NET_RAW"}), base) << "dropping what is not there";
  EXPECT_EQ(bounding({"ALL"}, {}), kAvailable);
  EXPECT_EQ(bounding({"all"}, {"SYS_ADMIN"}), kAvailable & ~oci::capability_bit(CAP_SYS_ADMIN));
  EXPECT_EQ(bounding({}, {"all"}), 0U);
  EXPECT_EQ(bounding({"CHOWN"}, {"CAP_ALL"}), oci::capability_bit(CAP_CHOWN));
}

TEST(Capabilities, ContradictionsAreRefused) {
  EXPECT_EQ(refusal({"ALL"}, {"ALL"}), "--cap-add ALL and --cap-drop ALL exclude each other");
  EXPECT_EQ(refusal({"CHOWN"}, {"chown"}), "CAP_CHOWN can't be both added and dropped");
  EXPECT_EQ(refusal({"NO_SUCH"}, {}), "--cap-add: there is no capability \"NO_SUCH\"");
  EXPECT_THAT(refusal({}, {"NO_SUCH"}), HasSubstr("--cap-drop"));
  const std::vector<std::string> bpf{"BPF"};
  EXPECT_FALSE(resolve_capabilities({bpf, {}, false, oci::capability_bit(CAP_BPF) - 1}, ContainerUid(0)))
      << "an older kernel";
}

TEST(Capabilities, OtherUsersHaveOnlyWhatWasAsked) {
  const auto plain = resolve({}, {}, 1000).value();
  EXPECT_EQ(plain, (sys::CapabilitySets{default_capabilities(), 0, 0, 0, 0}));
  const uint64_t raw = oci::capability_bit(CAP_NET_RAW);
  const auto added = resolve({"NET_RAW"}, {}, 1000).value();
  EXPECT_EQ(added, (sys::CapabilitySets{default_capabilities() | raw, raw, raw, raw, raw}));
  const auto all = resolve({"ALL"}, {"SYS_ADMIN"}, 1000).value();
  EXPECT_EQ(all.ambient, kAvailable & ~oci::capability_bit(CAP_SYS_ADMIN));
}

TEST(Capabilities, PrivilegedIsAllThereIs) {
  EXPECT_EQ(resolve({}, {"ALL"}, 0, true).value(),
            (sys::CapabilitySets{kAvailable, kAvailable, kAvailable, 0, 0}));
  EXPECT_EQ(resolve({}, {}, 1000, true).value(), (sys::CapabilitySets{kAvailable, 0, 0, 0, 0}));
}

TEST(Capabilities, TheKernelKnowsAtLeastTheOldOnes) {
  EXPECT_GE(kernel_capabilities(), oci::capability_bit(CAP_AUDIT_READ + 1) - 1);
  EXPECT_EQ(kernel_capabilities() & (kernel_capabilities() + 1), 0U) << "without gaps";
}

}  // namespace
}  // namespace berth::engine
