#include "bundle/mount_options.h"

#include <algorithm>
#include <array>
#include <optional>

#include <sys/mount.h>

#include "base/fields.h"
#include "idmap/id_map.h"

namespace berth::bundle {

namespace {

// What an option does beside changing a flag.
enum class Special {
  bind,
  recursive_bind,
  remount,
  idmap,
  recursive_idmap,
  copy_up,
  copy_symlink,
  source_nofollow,
  destination_nofollow,
  ignored,
};

enum class Kind { attribute, atime, superblock, propagation, special };

struct Option {
  std::string_view name;
  Kind kind;
  uint64_t value;  // MOUNT_ATTR_*, MS_*, or Special
  bool inverse;    // clears the value, or turns a kind of access time off
  bool recursive;
};

constexpr Option attribute(std::string_view name, uint64_t value, bool inverse = false,
                           bool recursive = false) {
  return {name, Kind::attribute, value, inverse, recursive};
}
constexpr Option atime(std::string_view name, uint64_t value, bool inverse = false, bool recursive = false) {
  return {name, Kind::atime, value, inverse, recursive};
}
constexpr Option superblock(std::string_view name, uint64_t value, bool inverse = false) {
  return {name, Kind::superblock, value, inverse, false};
}
constexpr Option propagation(std::string_view name, uint64_t value, bool recursive = false) {
  return {name, Kind::propagation, value, false, recursive};
}
constexpr Option special(std::string_view name, Special what) {
  return {name, Kind::special, static_cast<uint64_t>(what), false, false};
}

// Sorted by name. config.md has the list; acl and noacl are runc's, copy-symlink and …-nofollow crun's. At
// the end of what mount(8) keeps to itself: "auto" and the like are for /etc/fstab.
constexpr std::array kOptions{
    special("_netdev", Special::ignored),
    superblock("acl", MS_POSIXACL),
    superblock("async", MS_SYNCHRONOUS, true),
    atime("atime", MOUNT_ATTR_NOATIME, true),
    special("auto", Special::ignored),
    special("bind", Special::bind),
    special("copy-symlink", Special::copy_symlink),
    special("defaults", Special::ignored),
    special("dest-nofollow", Special::destination_nofollow),
    attribute("dev", MOUNT_ATTR_NODEV, true),
    attribute("diratime", MOUNT_ATTR_NODIRATIME, true),
    superblock("dirsync", MS_DIRSYNC),
    attribute("exec", MOUNT_ATTR_NOEXEC, true),
    special("idmap", Special::idmap),
    superblock("iversion", MS_I_VERSION),
    superblock("lazytime", MS_LAZYTIME),
    superblock("loud", MS_SILENT, true),
    superblock("mand", MS_MANDLOCK),
    superblock("noacl", MS_POSIXACL, true),
    atime("noatime", MOUNT_ATTR_NOATIME),
    special("noauto", Special::ignored),
    attribute("nodev", MOUNT_ATTR_NODEV),
    attribute("nodiratime", MOUNT_ATTR_NODIRATIME),
    attribute("noexec", MOUNT_ATTR_NOEXEC),
    special("nofail", Special::ignored),
    superblock("noiversion", MS_I_VERSION, true),
    superblock("nolazytime", MS_LAZYTIME, true),
    superblock("nomand", MS_MANDLOCK, true),
    atime("norelatime", MOUNT_ATTR_RELATIME, true),
    atime("nostrictatime", MOUNT_ATTR_STRICTATIME, true),
    attribute("nosuid", MOUNT_ATTR_NOSUID),
    attribute("nosymfollow", MOUNT_ATTR_NOSYMFOLLOW),
    propagation("private", MS_PRIVATE),
    atime("ratime", MOUNT_ATTR_NOATIME, true, true),
    special("rbind", Special::recursive_bind),
    attribute("rdev", MOUNT_ATTR_NODEV, true, true),
    attribute("rdiratime", MOUNT_ATTR_NODIRATIME, true, true),
    atime("relatime", MOUNT_ATTR_RELATIME),
    special("remount", Special::remount),
    attribute("rexec", MOUNT_ATTR_NOEXEC, true, true),
    special("ridmap", Special::recursive_idmap),
    atime("rnoatime", MOUNT_ATTR_NOATIME, false, true),
    attribute("rnodev", MOUNT_ATTR_NODEV, false, true),
    attribute("rnodiratime", MOUNT_ATTR_NODIRATIME, false, true),
    attribute("rnoexec", MOUNT_ATTR_NOEXEC, false, true),
    atime("rnorelatime", MOUNT_ATTR_RELATIME, true, true),
    atime("rnostrictatime", MOUNT_ATTR_STRICTATIME, true, true),
    attribute("rnosuid", MOUNT_ATTR_NOSUID, false, true),
    attribute("rnosymfollow", MOUNT_ATTR_NOSYMFOLLOW, false, true),
    attribute("ro", MOUNT_ATTR_RDONLY),
    propagation("rprivate", MS_PRIVATE, true),
    atime("rrelatime", MOUNT_ATTR_RELATIME, false, true),
    attribute("rro", MOUNT_ATTR_RDONLY, false, true),
    attribute("rrw", MOUNT_ATTR_RDONLY, true, true),
    propagation("rshared", MS_SHARED, true),
    propagation("rslave", MS_SLAVE, true),
    atime("rstrictatime", MOUNT_ATTR_STRICTATIME, false, true),
    attribute("rsuid", MOUNT_ATTR_NOSUID, true, true),
    attribute("rsymfollow", MOUNT_ATTR_NOSYMFOLLOW, true, true),
    propagation("runbindable", MS_UNBINDABLE, true),
    attribute("rw", MOUNT_ATTR_RDONLY, true),
    propagation("shared", MS_SHARED),
    superblock("silent", MS_SILENT),
    propagation("slave", MS_SLAVE),
    special("src-nofollow", Special::source_nofollow),
    atime("strictatime", MOUNT_ATTR_STRICTATIME),
    attribute("suid", MOUNT_ATTR_NOSUID, true),
    attribute("symfollow", MOUNT_ATTR_NOSYMFOLLOW, true),
    superblock("sync", MS_SYNCHRONOUS),
    special("tmpcopyup", Special::copy_up),
    propagation("unbindable", MS_UNBINDABLE),
};
static_assert(std::is_sorted(kOptions.begin(), kOptions.end(),
                             [](const Option& a, const Option& b) { return a.name < b.name; }));

const Option* find_option(std::string_view name) {
  const auto* found =
      std::lower_bound(kOptions.begin(), kOptions.end(), name,
                       [](const Option& option, std::string_view n) { return option.name < n; });
  return found == kOptions.end() || found->name != name ? nullptr : found;
}

void change(AttributeChange& attributes, uint64_t bits, uint64_t value) {
  attributes.set = (attributes.set & ~bits) | value;
  attributes.clear |= bits;
  // To clear what is set anyway is only for access times, which are a number, not bits.
  attributes.clear &= ~(attributes.set & ~uint64_t{MOUNT_ATTR__ATIME});
}

void forget(AttributeChange& attributes, uint64_t bits) {
  attributes.set &= ~bits;
  attributes.clear &= ~bits;
}

// "noatime" and its kin choose one of three. The inverse of one that is not chosen says nothing; of the
// chosen one, or where none is, it asks for the kernel's default, which is relatime.
uint64_t access_time(const Option& option, const AttributeChange& before) {
  const bool chosen = (before.clear & MOUNT_ATTR__ATIME) != 0;
  const uint64_t now = before.set & MOUNT_ATTR__ATIME;
  if (!option.inverse) return option.value;
  return chosen && now != option.value ? now : uint64_t{MOUNT_ATTR_RELATIME};
}

void apply_attribute(const Option& option, MountOptions& out) {
  AttributeChange& target = option.recursive ? out.recursive_attributes : out.attributes;
  const bool is_atime = option.kind == Kind::atime;
  const uint64_t bits = is_atime ? uint64_t{MOUNT_ATTR__ATIME} : option.value;
  const uint64_t plain = option.inverse ? 0 : option.value;
  change(target, bits, is_atime ? access_time(option, target) : plain);
  // It covers the mount itself too, and comes later than what was said about that.
  if (option.recursive) forget(out.attributes, bits);
}

void apply_superblock(const Option& option, MountOptions& out) {
  uint64_t& to = option.inverse ? out.superblock_clear : out.superblock_set;
  uint64_t& from = option.inverse ? out.superblock_set : out.superblock_clear;
  to |= option.value;
  from &= ~option.value;
}

void apply_special(Special what, MountOptions& out) {
  switch (what) {
    case Special::recursive_bind:
    case Special::bind:
      out.bind = true;
      out.recursive_bind = what == Special::recursive_bind;
      return;
    case Special::remount:
      out.remount = true;
      return;
    case Special::idmap:
      out.idmap = MountOptions::Idmap::mount;
      return;
    case Special::recursive_idmap:
      out.idmap = MountOptions::Idmap::recursive;
      return;
    case Special::copy_up:
      out.copy_up = true;
      return;
    case Special::copy_symlink:
      out.copy_symlink = true;
      return;
    case Special::source_nofollow:
      out.source_nofollow = true;
      return;
    case Special::destination_nofollow:
      out.destination_nofollow = true;
      return;
    case Special::ignored:
      return;
  }
}

void apply(const Option& option, MountOptions& out) {
  switch (option.kind) {
    case Kind::attribute:
    case Kind::atime:
      return apply_attribute(option, out);
    case Kind::superblock:
      return apply_superblock(option, out);
    case Kind::propagation:
      out.propagation.push_back({option.value, option.recursive});
      return;
    case Kind::special:
      return apply_special(static_cast<Special>(option.value), out);
  }
}

// Neither empty nor beyond the last ID on either side.
bool is_sane(const IdTriple& triple) {
  const uint64_t end = idmap::kLastId + 1;
  return triple.count > 0 && uint64_t{triple.on_disk} + triple.count <= end &&
         uint64_t{triple.outside} + triple.count <= end;
}

// "0-1-10#10-11-10"
std::optional<std::vector<IdTriple>> parse_triples(std::string_view text) {
  std::vector<IdTriple> triples;
  for (bool more = true; more;) {
    more = text.find('#') != std::string_view::npos;
    std::string_view part = take_until(text, '#');
    IdTriple triple;
    triple.relative = part.starts_with('@');
    if (triple.relative) part.remove_prefix(1);
    const auto on_disk = whole_number<uint32_t>(take_until(part, '-'));
    const auto outside = whole_number<uint32_t>(take_until(part, '-'));
    const auto count = whole_number<uint32_t>(part);
    if (!on_disk || !outside || !count) return std::nullopt;
    triple.on_disk = *on_disk;
    triple.outside = *outside;
    triple.count = *count;
    if (!is_sane(triple) || triples.size() == idmap::IdMap::kMaxExtents) return std::nullopt;
    triples.push_back(triple);
  }
  return triples;
}

// "uids=…;gids=…", in any order, as crun and podman write it.
bool parse_id_lists(std::string_view text, MountOptions& out) {
  out.uid_triples.clear();
  out.gid_triples.clear();
  for (bool more = true; more;) {
    more = text.find(';') != std::string_view::npos;
    std::string_view part = take_until(text, ';');
    const std::string_view kind = take_until(part, '=');
    if (kind != "uids" && kind != "gids") return false;
    std::optional<std::vector<IdTriple>> triples = parse_triples(part);
    if (!triples) return false;
    (kind == "uids" ? out.uid_triples : out.gid_triples) = std::move(*triples);
  }
  return !out.uid_triples.empty() && !out.gid_triples.empty();
}

bool is_for_user_space(std::string_view option) {
  return option.starts_with("x-") || option.starts_with("X-") || option.starts_with("comment=");
}

// The parameters whose values SELinux takes out of the text, with quotes, before it is split at commas.
bool is_context(std::string_view key) {
  return key == "context" || key == "fscontext" || key == "defcontext" || key == "rootcontext";
}

FilesystemParameter parameter(std::string_view option) {
  FilesystemParameter out;
  out.has_value = option.find('=') != std::string_view::npos;
  out.key = take_until(option, '=');
  if (option.size() >= 2 && option.front() == '"' && option.back() == '"') {
    option = option.substr(1, option.size() - 2);
  }
  out.value = option;
  return out;
}

Result<> apply_text(const std::string& text, MountOptions& out) {
  if (const Option* option = find_option(text)) {
    // Said without IDs it takes back those that an earlier one had.
    if (text == "idmap" || text == "ridmap") out.uid_triples = out.gid_triples = {};
    apply(*option, out);
    return {};
  }
  if (text.empty() || is_for_user_space(text)) return {};
  if (text.starts_with("idmap=") || text.starts_with("ridmap=")) {
    if (!parse_id_lists(std::string_view(text).substr(text.find('=') + 1), out)) {
      return fail(Code::refused, "\"{}\" is not of the form idmap=uids=DISK-HOST-COUNT#…;gids=…", text);
    }
    out.idmap = text.front() == 'r' ? MountOptions::Idmap::recursive : MountOptions::Idmap::mount;
    return {};
  }
  out.data.push_back(parameter(text));
  return {};
}

}  // namespace

Result<MountOptions> parse_mount_options(std::span<const std::string> options) {
  if (options.size() > kMaxMountOptions) {
    return fail(Code::refused, "{} options, and at most {} are read", options.size(), kMaxMountOptions);
  }
  MountOptions out;
  for (const std::string& option : options) TRY(apply_text(option, out));
  // crun's rule: the one makes a link, the others are about mounting one.
  if (out.copy_symlink && (out.source_nofollow || out.destination_nofollow)) {
    return fail(Code::refused, "\"copy-symlink\" does not go with src-nofollow or dest-nofollow");
  }
  return out;
}

Result<std::string> data_text(std::span<const FilesystemParameter> data) {
  constexpr size_t kPage = 4096;  // copy_mount_options() in the kernel's fs/namespace.c
  std::string text;
  for (const FilesystemParameter& one : data) {
    const bool has_comma = one.value.find(',') != std::string::npos;
    const bool has_quote = (one.key + one.value).find('"') != std::string::npos;
    if (has_quote || one.key.find(',') != std::string::npos || (has_comma && !is_context(one.key))) {
      return fail(Code::refused,
                  "the mount option \"{}\" has a comma or a quote, which mount(2) would misread",
                  one.has_value ? one.key + "=" + one.value : one.key);
    }
    if (!text.empty()) text += ',';
    text += one.key;
    if (one.has_value) text += has_comma ? fmt::format("=\"{}\"", one.value) : "=" + one.value;
  }
  if (text.size() >= kPage) {
    return fail(Code::refused, "the mount options take {} bytes, and the kernel takes {}", text.size(),
                kPage - 1);
  }
  return text;
}

std::vector<std::string_view> mount_option_names() {
  std::vector<std::string_view> names;
  for (const Option& option : kOptions) {
    const bool for_fstab = option.kind == Kind::special &&
                           static_cast<Special>(option.value) == Special::ignored &&
                           option.name != "defaults";
    if (!for_fstab) names.push_back(option.name);
  }
  return names;
}

}  // namespace berth::bundle
