// What a container's health check is: the image's HEALTHCHECK (Docker's extension of the image configuration)
// and what the flags say in its place.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/container/container_spec.h"
#include "oci/image_config.h"

namespace berth::engine {

struct HealthCheck {
  std::vector<std::string> command;
  std::chrono::nanoseconds interval{};  // from the end of one check to the beginning of the next
  std::chrono::nanoseconds timeout{};
  std::chrono::nanoseconds start_period{};  // failures count only after it, or after the first success
  int64_t retries = 0;                      // so many failures in a row make it unhealthy
  bool by_hand = false;
  std::string on_failure;  // "kill", "restart", "stop"; empty: nothing
};

// Nothing where there is none. Defaults as podman and Docker have them: every 30 seconds, for at most 30, and
// three failures. Values of the image that make no sense count as not being there. Pure.
std::optional<HealthCheck> health_check_of(const ContainerSpec& spec, const oci::ImageConfig& image);

}  // namespace berth::engine
