#include "engine/files/changes.h"

#include <algorithm>
#include <cerrno>
#include <map>
#include <optional>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "sys/extended_attributes.h"
#include "sys/file.h"
#include "sys/openat2.h"

namespace berth::engine {

namespace {

// As many as a layer may have (unpack/limits.h).
constexpr size_t kMaxChanges = 5'000'000;
constexpr size_t kMaxDepth = 256;

constexpr uint64_t kInside = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;

bool is_whiteout(const struct stat& st) {
  return S_ISCHR(st.st_mode) && st.st_rdev == ::makedev(0, 0);
}

bool belongs_to_overlayfs(const std::string& name) {
  return name.starts_with("trusted.overlay.");
}

std::string below(const std::string& directory, const std::string& name) {
  return directory.empty() ? name : directory + "/" + name;
}

// The merged directory of the image at `path`; none if it has none there.
Result<std::optional<store::MergedDirectory>> image_directory(const store::LayerStack& image,
                                                              std::string_view path) {
  if (image.empty()) return std::nullopt;
  store::StackEntry here = TRY(image.root());
  while (!path.empty() && here.directory) {
    const size_t slash = std::min(path.find('/'), path.size());
    std::optional<store::StackEntry> next = TRY(here.directory->look_up(std::string(path.substr(0, slash))));
    if (!next) return std::nullopt;
    here = std::move(*next);
    path.remove_prefix(std::min(slash + 1, path.size()));
  }
  return std::move(here.directory);
}

// Owner, mode and extended attributes, but for overlayfs's own.
struct Looks {
  struct stat st{};
  std::map<std::string, std::string> attributes;

  static Result<Looks> of(int fd) {
    Looks looks{TRY(sys::stat_at(fd, "", AT_EMPTY_PATH)), {}};
    for (auto& [name, value] : TRY(sys::read_attributes(fd)))
      if (!belongs_to_overlayfs(name)) looks.attributes.emplace(name, std::move(value));
    return looks;
  }
  [[nodiscard]] bool same_as(const Looks& other) const {
    return st.st_mode == other.st.st_mode && st.st_uid == other.st.st_uid && st.st_gid == other.st.st_gid &&
           attributes == other.attributes;
  }
};

// One directory at a time, each found anew from the roots: however deep a tree is, a few descriptors do.
class Walk {
 public:
  Walk(const ContainerView& view, Changes& into) : view_(view), into_(into) {}

  Result<> run() {
    todo_.push_back({});
    TRY(look_at_root());
    while (!todo_.empty()) {
      const Directory next = std::move(todo_.back());
      todo_.pop_back();
      TRY_CONTEXT(list(next), "/{}", next.path);
    }
    std::sort(into_.list.begin(), into_.list.end(),
              [](const Change& a, const Change& b) { return a.path < b.path; });
    leave_out_parents();
    return {};
  }

 private:
  struct Directory {
    std::string path;
    size_t depth = 0;
    bool whole = false;   // it is listed from the view: what the upper layer has is not all of it
    bool opaque = false;  // nothing of the image's shows in it
  };

  [[nodiscard]] int source(const Directory& directory) const {
    return directory.whole ? view_.root() : view_.upper();
  }

  Result<> add(Change change) {
    if (into_.list.size() >= kMaxChanges)
      return fail(Code::refused, "there are more than {} changes", kMaxChanges);
    into_.list.push_back(std::move(change));
    return {};
  }

  // A change of "/" itself is one of its attributes; its time is no change that a layer tells.
  Result<> look_at_root() {
    if (view_.image().empty()) return {};
    const store::StackEntry image = TRY(view_.image().root());
    Looks before = TRY(Looks::of(image.handle.get()));
    const Looks now = TRY(Looks::of(view_.upper()));
    before.st.st_mode = S_IFDIR | view_.layers().image.root.mode;
    before.st.st_uid = view_.layers().image.root.uid;
    before.st.st_gid = view_.layers().image.root.gid;
    if (const auto shift = view_.layers().from_disk()) {
      before.st.st_uid = shift->inverse().users(before.st.st_uid);
      before.st.st_gid = shift->inverse().groups(before.st.st_gid);
    }
    before.attributes = now.attributes;
    if (!now.same_as(before)) TRY(add({.path = "", .directory = true}));
    return {};
  }

  Result<> list(const Directory& directory) {
    if (directory.depth > kMaxDepth) return fail(Code::refused, "it is below {} directories", kMaxDepth);
    const std::string path = directory.path.empty() ? "." : directory.path;
    const Result<sys::UniqueFd> open =
        sys::open_at2(source(directory), path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0, kInside);
    // It was there a moment ago: a running container has removed or renamed it.
    if (!open && (open.error().err == ENOENT || open.error().err == ENOTDIR || open.error().err == ELOOP))
      return {};
    if (!open) return std::unexpected(open.error());
    const auto image = TRY(image_directory(view_.image(), directory.path));
    std::vector<std::string> names = TRY(sys::list_dir(open->get()));
    std::sort(names.begin(), names.end());
    for (const std::string& name : names) TRY(look_at(directory, open->get(), name, image));
    return directory.opaque && image ? list_hidden(directory, names, *image) : Result<>();
  }

  Result<> look_at(const Directory& directory, int fd, const std::string& name,
                   const std::optional<store::MergedDirectory>& image) {
    const Result<struct stat> found = sys::stat_at(fd, name, AT_SYMLINK_NOFOLLOW);
    if (!found && found.error().err == ENOENT) return {};
    if (!found) return std::unexpected(found.error());
    const std::string path = below(directory.path, name);
    std::optional<store::StackEntry> before;
    if (image) before = TRY(image->look_up(name));
    if (is_whiteout(*found)) {
      if (!before || directory.opaque) return {};
      return add({.kind = ChangeKind::deleted, .path = path, .directory = before->directory.has_value()});
    }
    if (!before && into_.own.mounts.contains(path) && TRY(is_empty(fd, name, *found))) {
      into_.left_out.insert(path);
      return {};
    }
    const ChangeKind kind = before ? ChangeKind::changed : ChangeKind::added;
    if (!S_ISDIR(found->st_mode)) return add({.kind = kind, .path = path, .below_opaque = directory.opaque});
    return enter(directory, fd, name, before);
  }

  Result<> enter(const Directory& parent, int fd, const std::string& name,
                 const std::optional<store::StackEntry>& before) {
    Directory directory{below(parent.path, name), parent.depth + 1, parent.whole, parent.opaque};
    bool starts_anew = false;
    if (!parent.whole) {
      for (const auto& [key, value] : TRY(sys::read_attributes_at(fd, name))) {
        directory.whole |= key == "trusted.overlay.redirect";
        starts_anew |= key == "trusted.overlay.opaque" && value == "y";
      }
    }
    starts_anew |= directory.whole;
    const bool opaque = !parent.opaque && starts_anew && before && before->directory;
    directory.opaque |= opaque;
    const ChangeKind kind = before ? ChangeKind::changed : ChangeKind::added;
    TRY(add({kind, directory.path, true, opaque, parent.opaque}));
    todo_.push_back(std::move(directory));
    return {};
  }

  // What the image has in an opaque directory and the container has not.
  Result<> list_hidden(const Directory& directory, const std::vector<std::string>& names,
                       const store::MergedDirectory& image) {
    for (const std::string& name : TRY(image.names())) {
      if (std::binary_search(names.begin(), names.end(), name)) continue;
      const std::optional<store::StackEntry> before = TRY(image.look_up(name));
      if (!before) continue;
      TRY(add(
          {ChangeKind::deleted, below(directory.path, name), before->directory.has_value(), false, true}));
    }
    return {};
  }

  // The place of a mount is made empty, and what a container puts there goes into the mount.
  static Result<bool> is_empty(int fd, const std::string& name, const struct stat& st) {
    if (S_ISREG(st.st_mode)) return st.st_size == 0;
    if (!S_ISDIR(st.st_mode)) return false;
    const sys::UniqueFd directory = TRY(sys::open_at(fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
    return TRY(sys::list_dir(directory.get())).empty();
  }

  // A directory that is only there for something that is left out is left out too.
  void leave_out_parents() {
    for (size_t i = into_.list.size(); i-- > 0;) {
      const Change& change = into_.list[i];
      const std::string prefix = change.path + "/";
      const auto out = into_.left_out.lower_bound(prefix);
      const bool has_left_out = out != into_.left_out.end() && out->starts_with(prefix);
      const auto next =
          std::upper_bound(into_.list.begin(), into_.list.end(), prefix,
                           [](const std::string& text, const Change& one) { return text < one.path; });
      const bool has_listed = next != into_.list.end() && next->path.starts_with(prefix);
      if (!change.directory || change.opaque || !has_left_out || has_listed) continue;
      if (change.kind == ChangeKind::deleted || !looks_untouched(change)) continue;
      if (change.kind == ChangeKind::added) into_.left_out.insert(change.path);
      into_.list.erase(into_.list.begin() + static_cast<ptrdiff_t>(i));
    }
  }

  [[nodiscard]] bool looks_untouched(const Change& change) const {
    const Result<sys::UniqueFd> mine =
        sys::open_at2(view_.upper(), change.path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0, kInside);
    if (!mine) return false;
    const Result<Looks> now = Looks::of(mine->get());
    const auto image = view_.image().find_directory(change.path);
    if (!now || !image) return false;
    if (*image) {
      const Result<Looks> before = Looks::of((*image)->get());
      return before && now->same_as(*before);
    }
    return (now->st.st_mode & 07777U) == 0755 && now->attributes.empty();
  }

  const ContainerView& view_;
  Changes& into_;
  std::vector<Directory> todo_;
};

Result<bool> has(int root, const std::string& path) {
  const Result<sys::UniqueFd> found = sys::open_at2(root, path, O_PATH | O_NOFOLLOW, 0, kInside);
  if (found) return true;
  if (found.error().err == ENOENT || found.error().err == ENOTDIR) return false;
  return std::unexpected(found.error());
}

// Files that only the identity layer has, and directories that are there for them.
Result<> leave_out_identity(const ContainerView& view, Changes& changes) {
  for (const AccountFile& file : changes.own.accounts) {
    if (file.original) continue;
    for (std::string path = file.path; !path.empty();) {
      const size_t slash = path.rfind('/');
      const std::string parent = slash == std::string::npos ? "" : path.substr(0, slash);
      const auto image = TRY(image_directory(view.image(), parent));
      const std::string name = slash == std::string::npos ? path : path.substr(slash + 1);
      if (image && TRY(image->look_up(name))) break;
      if (TRY(has(view.upper(), path)) && !changes.left_out.contains(path)) break;
      changes.left_out.insert(path);
      path = parent;
    }
  }
  return {};
}

}  // namespace

Result<Changes> list_changes(const ContainerView& view) {
  Changes changes;
  changes.own = TRY(own_places(view.layers(), view.image()));
  TRY(Walk(view, changes).run());
  TRY(leave_out_identity(view, changes));
  return changes;
}

}  // namespace berth::engine
