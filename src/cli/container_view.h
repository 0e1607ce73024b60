// A container as people look at it: its record, what it was asked to be, and what runs.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "engine/container/container_spec.h"
#include "engine/container/status.h"
#include "oci/image_config.h"
#include "store/containers.h"
#include "store/store.h"

namespace berth::cli {

struct ContainerView {
  store::ContainerRecord record;
  std::unique_ptr<const engine::ContainerSpec>
      spec;  // never null; apart, for it is large and views are moved
  std::optional<engine::LiveStatus> live;
  std::string state;   // "created", "running", "paused", "restarting", "exited", "removing"
  std::string health;  // "starting", "healthy", "unhealthy"; empty: it has no health check, or does not run
  std::vector<std::string> command;
  std::map<std::string, std::string> labels;
};

// What a container is doing, in podman's words.
std::string state_of(const store::Store& store, const store::ContainerRecord& record,
                     const std::optional<engine::LiveStatus>& live);

// "Up 5 minutes (healthy)", "Exited (0) 2 hours ago".
std::string status_text(const ContainerView& view);

// Makes views of one store's containers. An image that several are made from is looked at once.
class ContainerViews {
 public:
  // `live`: known to run a moment ago, by their IDs.
  ContainerViews(store::Store& store, const std::map<std::string, engine::LiveStatus>& live)
      : store_(store), live_(live) {}
  Result<ContainerView> view(store::ContainerRecord record);

 private:
  // nullopt where the image can't be read any more.
  const std::optional<oci::ImageConfig>& image(const std::string& id);

  store::Store& store_;
  const std::map<std::string, engine::LiveStatus>& live_;
  std::map<std::string, std::optional<oci::ImageConfig>> images_;
};

}  // namespace berth::cli
