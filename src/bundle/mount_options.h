// The options of a mount in config.json as values (runtime-spec 1.2, config.md, "Linux mount options").
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace berth::bundle {

// Attributes of mounts (MOUNT_ATTR_*, mount_setattr(2)): what to set and what to clear; the rest stays. Where
// a kind of access time is set, `clear` has all of MOUNT_ATTR__ATIME, as the kernel wants it.
struct AttributeChange {
  uint64_t set = 0;
  uint64_t clear = 0;
  friend bool operator==(const AttributeChange&, const AttributeChange&) = default;
};

struct Propagation {
  uint64_t type = 0;  // MS_SHARED, MS_SLAVE, MS_PRIVATE or MS_UNBINDABLE
  bool recursive = false;
  friend bool operator==(const Propagation&, const Propagation&) = default;
};

// One parameter of the file system, for fsconfig(2). A comma in a value is part of the value.
struct FilesystemParameter {
  std::string key;
  std::string value;       // without the quotes that a value with commas has (SELinux contexts)
  bool has_value = false;  // "key=" has one, "key" has none
  friend bool operator==(const FilesystemParameter&, const FilesystemParameter&) = default;
};

// "FIRST-SECOND-COUNT" of idmap=uids=…: IDs of the file system from `on_disk` on are those from `outside` on:
// the host's or, with `relative` ("@" before it), the container's.
struct IdTriple {
  uint32_t on_disk = 0;
  uint32_t outside = 0;
  uint32_t count = 0;
  bool relative = false;
  friend bool operator==(const IdTriple&, const IdTriple&) = default;
};

struct MountOptions {
  enum class Idmap { none, mount, recursive };

  // The recursive change comes first, for the mount and all below it; the other then for the mount alone.
  // Neither says the opposite of an option that came later in the list.
  AttributeChange recursive_attributes;
  AttributeChange attributes;
  // MS_SYNCHRONOUS, MS_DIRSYNC, MS_MANDLOCK, MS_LAZYTIME, MS_I_VERSION, MS_SILENT, MS_POSIXACL: of the
  // superblock, hence nothing that a bind mount could change.
  uint64_t superblock_set = 0;
  uint64_t superblock_clear = 0;
  bool bind = false;
  bool recursive_bind = false;  // only with bind
  bool remount = false;
  std::vector<Propagation> propagation;  // to be applied one after another
  Idmap idmap = Idmap::none;
  std::vector<IdTriple> uid_triples;  // of idmap=…; empty: the mount's mappings, or else the container's
  std::vector<IdTriple> gid_triples;
  bool copy_up = false;               // tmpcopyup
  bool copy_symlink = false;          // crun's: a source that is a link is made again, not followed
  bool source_nofollow = false;       // crun's: a source that is a link is mounted itself
  bool destination_nofollow = false;  // crun's
  std::vector<FilesystemParameter> data;
};

// More options for one mount are refused.
inline constexpr size_t kMaxMountOptions = 512;

// The last one of options that contradict each other wins, as in mount(8). What no table knows is a parameter
// of the file system; options for the user's space ("x-…", "X-…", "nofail", "_netdev", …) are left out.
//
// Code::refused: an idmap=… that can't be read. The message begins with the option in quotes.
Result<MountOptions> parse_mount_options(std::span<const std::string> options);

// What mount(2) takes as data: the parameters with commas between them, for kernels and file systems that
// fsconfig(2) does not serve. Code::refused if a comma or a quote in one of them would be read as more than
// that, or the text does not fit into a page. Only SELinux's contexts may have commas: they get quotes.
Result<std::string> data_text(std::span<const FilesystemParameter> data);

// The names of all options that are no parameters of a file system, sorted (features.md, "mountOptions").
std::vector<std::string_view> mount_option_names();

}  // namespace berth::bundle
