// `berth commit`: an image out of a container.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "store/containers.h"
#include "store/store.h"

namespace berth::transfer {

struct CommitRequest {
  store::ContainerRecord container;
  std::string name;                  // full reference, or empty
  std::string author;                // of the image and of its last step
  std::string message;               // for the history; may be empty
  std::vector<std::string> changes;  // instructions of a Dockerfile (config_change.h)
  bool squash = false;               // one layer with all of it, in the place of one on top of the image's
};

// The image's layers, what the container has changed as one more, and the image's configuration with what was
// asked for when the container was made (command, variables, user, working directory, labels). Gives the new
// image's id. The calling process leaves its mount namespace. After an error nothing is left in the store.
Result<std::string> commit_container(store::Store& store, const CommitRequest& request);

}  // namespace berth::transfer
