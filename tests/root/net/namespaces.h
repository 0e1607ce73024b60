// Network namespaces for tests: a host with a way to somebody outside, and containers.
#pragma once

#include <functional>
#include <string>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>

#include "net/attach.h"
#include "net/bridge.h"
#include "net/ports.h"
#include "net/rules.h"
#include "sys/unique_fd.h"

namespace berth::net {

inline constexpr const char* kTable = "berth-test";

// What a test uses without a Result around it.
template <typename T>
T must(Result<T> result) {
  EXPECT_TRUE(result) << (result ? "" : result.error().message);
  if (!result) throw std::runtime_error(result.error().message);
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

inline Address address(const char* text) {
  return Address::parse(text).value();
}

inline int current_namespace() {
  return ::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
}

class NetworkNamespace {
 public:
  // A new one, with its loopback interface up.
  NetworkNamespace() {
    const sys::UniqueFd before(current_namespace());
    if (::unshare(CLONE_NEWNET) != 0)
      throw std::runtime_error("no new network namespace: the tests need root");
    fd_.reset(current_namespace());
    run("ip link set lo up");
    ::setns(before.get(), CLONE_NEWNET);
  }
  [[nodiscard]] int fd() const { return fd_.get(); }

  // Calls `work` inside.
  auto in(const auto& work) const {
    const sys::UniqueFd before(current_namespace());
    ::setns(fd_.get(), CLONE_NEWNET);
    struct Back {
      int fd;
      ~Back() { ::setns(fd, CLONE_NEWNET); }
    } back{before.get()};
    return work();
  }

  static int run(const std::string& command) {
    return std::system((command + " >/dev/null 2>&1").c_str());  // NOLINT(cert-env33-c): the tests' own words
  }
  void must_run(const std::string& command) const {
    EXPECT_EQ(in([&] { return run(command); }), 0) << command;
  }

 private:
  sys::UniqueFd fd_;
};

// Each test has a host of its own.
class NetTest : public testing::Test {
 protected:
  void SetUp() override {
    before_.reset(current_namespace());
    ::setns(host_.fd(), CLONE_NEWNET);
  }
  void TearDown() override { ::setns(before_.get(), CLONE_NEWNET); }
  [[nodiscard]] const NetworkNamespace& host() const { return host_; }

 private:
  sys::UniqueFd before_;
  NetworkNamespace host_;
};

inline BridgePlan bridge_plan(unsigned number, bool internal = false) {
  const std::string v4 = fmt::format("10.199.{}.1", number);
  const std::string v6 = fmt::format("fd99:{}::1", number);
  return {.name = fmt::format("bt-{}", number),
          .gateways = {{address(v4.c_str()), 24}, {address(v6.c_str()), 64}},
          .internal = internal};
}

// The container's `number` is the end of its addresses, from 2 on, and of its ID.
inline NetworkPlan network_plan(const BridgePlan& bridge, unsigned number,
                                std::vector<PublishedPort> ports = {}) {
  AttachmentPlan attachment;
  attachment.bridge = bridge;
  attachment.interface = "eth0";
  const std::string id = fmt::format("{:010x}{:054x}", bridge.gateways[0].address.low() + number, 0);
  attachment.link = host_link_name(id, 0);
  for (const InterfaceAddress& gateway : bridge.gateways) {
    attachment.addresses.push_back({*gateway.address.plus(number - 1), gateway.prefix});
    const auto everywhere =
        *Subnet::containing(gateway.address.is_v6() ? Address::v6(0, 0) : Address::v4(0), 0);
    if (!bridge.internal) attachment.routes.push_back({everywhere, gateway.address});
  }
  attachment.mac = MacAddress::for_address(attachment.addresses.front().address);
  attachment.ports = std::move(ports);
  return {kTable, id, {attachment}};
}

// A container as far as its network goes.
class NetworkedContainer {
 public:
  NetworkedContainer(const BridgePlan& bridge, unsigned number, std::vector<PublishedPort> ports = {})
      : plan(network_plan(bridge, number, std::move(ports))) {
    must(ensure_bridge(bridge));
    must(attach(plan.attachments.front(), space.fd()));
    must(publish(plan));
  }
  NetworkedContainer(const NetworkedContainer&) = delete;
  NetworkedContainer& operator=(const NetworkedContainer&) = delete;
  ~NetworkedContainer() { EXPECT_TRUE(detach(plan.attachments.front())); }
  [[nodiscard]] const Address& v4() const { return plan.attachments.front().addresses.at(0).address; }
  [[nodiscard]] const Address& v6() const { return plan.attachments.front().addresses.at(1).address; }

  NetworkPlan plan;
  NetworkNamespace space;
};

}  // namespace berth::net
