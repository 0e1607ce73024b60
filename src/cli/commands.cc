// The list of commands. Those without a function live in berth-transfer.
#include "cli/banks.h"
#include "cli/command.h"
#include "cli/completion.h"
#include "cli/containers.h"
#include "cli/events.h"
#include "cli/images.h"
#include "cli/networks.h"
#include "cli/projects.h"
#include "cli/system.h"
#include "cli/volumes.h"

namespace berth::cli {

namespace {
constexpr Command kCommands[] = {
    {"run", "Make a container from an image and run it", "Containers", run},
    {"create", "Make a container without starting it", "Containers", create},
    {"start", "Start a container that exists", "Containers", start},
    {"stop", "Ask containers to end, and see that they do", "Containers", stop},
    {"restart", "Stop containers and start them again", "Containers", restart},
    {"kill", "Send a signal to containers", "Containers", kill},
    {"wait", "Wait for containers to end", "Containers", wait},
    {"attach", "Stay with a container that runs", "Containers", attach},
    {"exec", "Execute a command in a container that runs", "Containers", exec},
    {"ps", "List containers", "Containers", ps},
    {"logs", "Show what a container has written", "Containers", logs},
    {"inspect", "Print all that is known of a container", "Containers", inspect},
    {"cp", "Copy files between containers and the host", "Containers"},
    {"diff", "List what a container has changed in its files", "Containers", diff},
    {"export", "Write a container's files as a tar", "Containers"},
    {"commit", "Make an image of a container", "Containers"},
    {"stats", "Show what containers use", "Containers", stats},
    {"update", "Change what a container may use", "Containers", update},
    {"pause", "Hold containers still", "Containers", pause},
    {"unpause", "Let held containers go on", "Containers", unpause},
    {"port", "List a container's published ports", "Containers", port},
    {"rename", "Give a container another name", "Containers", rename},
    {"top", "Show the processes of a container", "Containers", top},
    {"rm", "Remove containers", "Containers", rm},
    {"container prune", "Remove containers that do not run", "Containers", prune_containers},
    {"pull", "Fetch an image from a registry", "Images"},
    {"load", "Load images from an archive or an OCI layout", "Images"},
    {"save", "Write images to an archive or an OCI layout", "Images"},
    {"import", "Make an image from a root file system tar", "Images"},
    {"images", "List images", "Images", list_images},
    {"tag", "Give an image one more name", "Images", tag_image},
    {"untag", "Take names away from an image", "Images", untag_image},
    {"rmi", "Remove images", "Images", remove_images},
    {"history", "Show how an image was made", "Images", image_history},
    {"image ls", "List images", "Images", list_images},
    {"image list", "List images", "Images", list_images},
    {"image inspect", "Print all that is known of images", "Images", inspect_images},
    {"image history", "Show how an image was made", "Images", image_history},
    {"image prune", "Remove images that nothing needs", "Images", prune_images},
    {"image rm", "Remove images", "Images", remove_images},
    {"image tag", "Give an image one more name", "Images", tag_image},
    {"image untag", "Take names away from an image", "Images", untag_image},
    {"image translate", "Copy an image for a bank's IDs ahead of its use", "Images", translate_image},
    {"image pull", "Fetch an image from a registry", "Images"},
    {"image load", "Load images from an archive or an OCI layout", "Images"},
    {"image save", "Write images to an archive or an OCI layout", "Images"},
    {"image import", "Make an image from a root file system tar", "Images"},
    {"login", "Store the credentials for a registry", "Images"},
    {"logout", "Forget the credentials for a registry", "Images"},
    {"volume create", "Make a volume", "Volumes", create_volume},
    {"volume ls", "List volumes", "Volumes", list_volumes},
    {"volume list", "List volumes", "Volumes", list_volumes},
    {"volume inspect", "Print all that is known of volumes", "Volumes", inspect_volumes},
    {"volume rm", "Remove volumes", "Volumes", remove_volumes},
    {"volume prune", "Remove volumes that no container uses", "Volumes", prune_volumes},
    {"network create", "Make a network", "Networks", create_network},
    {"network ls", "List networks", "Networks", list_networks},
    {"network list", "List networks", "Networks", list_networks},
    {"network inspect", "Print all that is known of networks", "Networks", inspect_networks},
    {"network exists", "Say by the exit status whether there is a network", "Networks", network_exists},
    {"network connect", "Put a container into one more network", "Networks", connect_network},
    {"network disconnect", "Take a container out of a network", "Networks", disconnect_network},
    {"network rm", "Remove networks", "Networks", remove_networks},
    {"network prune", "Remove networks that no container uses", "Networks", prune_networks},
    {"bank ls", "List the banks of host IDs and who holds them", "Banks", list_banks},
    {"bank list", "List the banks of host IDs and who holds them", "Banks", list_banks},
    {"bank create", "Give banks a name, for containers to share", "Banks", create_bank},
    {"bank inspect", "Print all that is known of named banks", "Banks", inspect_banks},
    {"bank rm", "Free named banks", "Banks", remove_banks},
    {"healthcheck run", "Check a container's health now", "Containers", run_healthcheck},
    {"project create", "Make a project with IDs of its own", "Projects", create_project},
    {"project ls", "List the projects", "Projects", list_projects},
    {"project list", "List the projects", "Projects", list_projects},
    {"project describe", "Print all that is known of projects", "Projects", describe_project},
    {"project rm", "Remove projects", "Projects", remove_projects},
    {"config", "Print the configuration and where it comes from", "System", print_config},
    {"info", "Say what berth has here", "System", info},
    {"events", "Show what happens as it happens", "System", events},
    {"audit", "Find IDs that are shared and should not be", "System", audit},
    {"map", "Draw the host's ID space", "System", map},
    {"system df", "Say what takes how much room", "System", system_df},
    {"system prune", "Remove what nothing needs", "System", system_prune},
    {"system boot", "Start what is to run after the machine has come up", "System", system_boot},
    {"system halt", "Stop all containers, for the machine to go down", "System", system_halt},
    {"system repair", "Put right what killed processes left", "System", system_repair},
    // For berth-monitor.
    {"container finish", "", "", finish_container},
    {"container oom", "", "", tell_out_of_memory},
    {"completion", "Print what a shell needs to complete commands", "System", completion},
    {"version", "Print the version", "System", version},
    {"__complete", "List what may stand in the place of the last word", "", complete},
};
}  // namespace

std::span<const Command> all_commands() {
  return kCommands;
}

}  // namespace berth::cli
