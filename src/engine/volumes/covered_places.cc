#include "engine/volumes/covered_places.h"

#include <array>

#include <fcntl.h>
#include <sys/stat.h>

#include "safepath/root.h"
#include "sys/file.h"

namespace berth::engine {

namespace {

struct Place {
  const char* path;
  bool directory;
};
constexpr std::array<Place, 4> kPlaces{
    {{"/etc/hosts", false}, {"/etc/hostname", false}, {"/etc/resolv.conf", false}, {"/var/tmp", true}}};

// A link will be followed within the container when it is mounted.
bool is_there(const safepath::Root& root, std::string_view path, bool directory) {
  const Result<sys::UniqueFd> found = root.open(path, O_PATH | O_NOFOLLOW);
  if (!found) return false;
  const Result<struct stat> st = sys::stat_at(found->get(), "", AT_EMPTY_PATH);
  return st && (S_ISLNK(st->st_mode) || S_ISDIR(st->st_mode) == directory);
}

}  // namespace

std::vector<std::string> covered_places(const MountSpec& mount) {
  std::vector<std::string> covered;
  for (const Place& place : kPlaces) {
    const std::string path = place.path;
    if (!path.starts_with(mount.target + "/") || mount.type == "tmpfs") continue;
    const Result<safepath::Root> root = safepath::Root::open(AT_FDCWD, mount.source);
    const bool there = root && is_there(*root, path.substr(mount.target.size()), place.directory);
    const bool can_be_made = mount.type == "volume" && !mount.read_only;
    if (!there && !can_be_made) covered.push_back(path);
  }
  return covered;
}

}  // namespace berth::engine
