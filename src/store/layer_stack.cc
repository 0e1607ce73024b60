#include "store/layer_stack.h"

#include <algorithm>
#include <array>
#include <cerrno>

#include <fcntl.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "store/layers.h"
#include "sys/file.h"

namespace berth::store {

namespace {

bool is_opaque(int fd) {
  std::array<char, 2> value{};
  return ::fgetxattr(fd, "trusted.overlay.opaque", value.data(), value.size()) == 1 && value[0] == 'y';
}

bool is_whiteout(const struct stat& st) {
  return S_ISCHR(st.st_mode) && st.st_rdev == ::makedev(0, 0);
}

// An invalid descriptor where the layer has no such name.
Result<sys::UniqueFd> open_name(int layer, const std::string& name) {
  sys::UniqueFd handle(::openat(layer, name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  if (handle || errno == ENOENT) return handle;
  if (errno == ENAMETOOLONG) return fail(Code::refused, "the name {} is too long", name);
  return fail_errno(errno, "open {} in a layer", name);
}

}  // namespace

Result<std::optional<StackEntry>> MergedDirectory::look_up(const std::string& name) const {
  std::optional<StackEntry> found;
  std::vector<sys::UniqueFd> directories;
  for (const sys::UniqueFd& layer : layers_) {
    sys::UniqueFd handle = TRY(open_name(layer.get(), name));
    if (!handle) continue;
    const struct stat st = TRY(sys::stat_at(handle.get(), "", AT_EMPTY_PATH));
    if (!S_ISDIR(st.st_mode)) {
      if (!found && !is_whiteout(st)) found = StackEntry{std::move(handle), st, std::nullopt};
      break;
    }
    directories.push_back(TRY(sys::open_at(handle.get(), ".", O_RDONLY | O_DIRECTORY)));
    if (!found) found = StackEntry{std::move(handle), st, std::nullopt};
    if (is_opaque(directories.back().get())) break;
  }
  if (!directories.empty()) found->directory.emplace(std::move(directories));
  return found;
}

Result<std::vector<std::string>> MergedDirectory::names() const {
  std::vector<std::string> all;
  for (const sys::UniqueFd& layer : layers_) {
    std::vector<std::string> own = TRY(sys::list_dir(layer.get()));
    all.insert(all.end(), std::make_move_iterator(own.begin()), std::make_move_iterator(own.end()));
  }
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

LayerStack::LayerStack(std::vector<sys::UniqueFd> layers) : layers_(std::move(layers)) {
  std::reverse(layers_.begin(), layers_.end());
}

Result<LayerStack> LayerStack::open(const Store& store, const std::vector<std::string>& directories) {
  std::vector<sys::UniqueFd> layers;
  for (const std::string& directory : directories) layers.push_back(TRY(open_layer(store, directory)));
  return LayerStack(std::move(layers));
}

Result<StackEntry> LayerStack::root() const {
  if (empty()) return fail("there are no layers");
  StackEntry root;
  root.handle = TRY(sys::open_at(layers_.front().get(), ".", O_PATH | O_DIRECTORY));
  root.attributes = TRY(sys::stat_at(root.handle.get(), "", AT_EMPTY_PATH));
  std::vector<sys::UniqueFd> directories;
  for (const sys::UniqueFd& layer : layers_) {
    directories.push_back(TRY(sys::open_at(layer.get(), ".", O_RDONLY | O_DIRECTORY)));
  }
  root.directory.emplace(std::move(directories));
  return root;
}

Result<std::optional<sys::UniqueFd>> LayerStack::find_directory(std::string_view path) const {
  if (empty()) return std::nullopt;
  StackEntry here = TRY(root());
  while (!path.empty()) {
    const size_t slash = std::min(path.find('/'), path.size());
    const std::string part(path.substr(0, slash));
    path.remove_prefix(std::min(slash + 1, path.size()));
    if (part.empty() || part == ".") continue;
    if (part == ".." || !here.directory) return std::nullopt;
    std::optional<StackEntry> next = TRY(here.directory->look_up(part));
    if (!next) return std::nullopt;
    here = std::move(*next);
  }
  if (!here.directory) return std::nullopt;
  return std::optional(TRY(sys::open_at(here.handle.get(), ".", O_RDONLY | O_DIRECTORY)));
}

}  // namespace berth::store
