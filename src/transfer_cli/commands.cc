#include "transfer_cli/commands.h"

#include "transfer_cli/commit.h"
#include "transfer_cli/cp.h"
#include "transfer_cli/export.h"
#include "transfer_cli/import.h"
#include "transfer_cli/load.h"
#include "transfer_cli/login.h"
#include "transfer_cli/pull.h"
#include "transfer_cli/save.h"

namespace berth::transfer_cli {

std::span<const cli::Command> commands() {
  static constexpr cli::Command kCommands[] = {
      {"pull", "Fetch an image from a registry", "Images", pull},
      {"login", "Store the credentials for a registry", "Images", login},
      {"logout", "Forget the credentials for a registry", "Images", logout},
      {"load", "Load images from an archive or an OCI layout", "Images", load},
      {"save", "Write images to an archive or an OCI layout", "Images", save},
      {"import", "Make an image from a root file system tar", "Images", import},
      {"image pull", "Fetch an image from a registry", "Images", pull},
      {"image load", "Load images from an archive or an OCI layout", "Images", load},
      {"image save", "Write images to an archive or an OCI layout", "Images", save},
      {"image import", "Make an image from a root file system tar", "Images", import},
      {"cp", "Copy files between containers and the host", "Containers", cp},
      {"export", "Write a container's files as a tar", "Containers", export_container},
      {"commit", "Make an image of a container", "Containers", commit},
  };
  return kCommands;
}

}  // namespace berth::transfer_cli
