#include "oci/capability_names.h"

#include <gtest/gtest.h>
#include <linux/capability.h>

namespace berth::oci {
namespace {

TEST(CapabilityNames, NamesAndNumbersAreTheKernels) {
  EXPECT_EQ(parse_capability("CAP_CHOWN").value(), unsigned{CAP_CHOWN});
  EXPECT_EQ(parse_capability("net_raw").value(), unsigned{CAP_NET_RAW});
  EXPECT_EQ(parse_capability("cap_Sys_Admin").value(), unsigned{CAP_SYS_ADMIN});
  EXPECT_EQ(parse_capability("MKNOD").value(), unsigned{CAP_MKNOD});
  EXPECT_EQ(parse_capability("SETFCAP").value(), unsigned{CAP_SETFCAP});
  EXPECT_EQ(parse_capability("AUDIT_READ").value(), unsigned{CAP_AUDIT_READ});
  EXPECT_EQ(parse_capability("checkpoint_restore").value(), unsigned{CAP_CHECKPOINT_RESTORE});
  for (unsigned number = 0; number <= CAP_LAST_CAP; ++number) {
    EXPECT_EQ(parse_capability(capability_name(number)).value(), number);
  }
  EXPECT_EQ(parse_capability("NET_RAV").error().hint, "Did you mean NET_RAW?");
  EXPECT_FALSE(parse_capability(""));
  EXPECT_FALSE(parse_capability("CAP_CAP_CHOWN"));
  EXPECT_FALSE(parse_capability("13"));
}

}  // namespace
}  // namespace berth::oci
