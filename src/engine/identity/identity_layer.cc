#include "engine/identity/identity_layer.h"

#include <algorithm>
#include <cerrno>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/accounts.h"
#include "base/fault.h"
#include "base/sha256.h"
#include "engine/identity/identity_uses.h"
#include "engine/identity/layer_writer.h"
#include "store/image_path.h"
#include "store/staging.h"
#include "sys/file.h"

namespace berth::engine {

namespace {

constexpr std::string_view kFormat = "berth identity 1";
constexpr size_t kMaxRecordBytes = size_t{4} << 20;

std::string image_part(std::string_view image_id) {
  const std::string_view hex = image_id.substr(image_id.find(':') + 1);
  // An image's id is a digest; anything else does not get into a file name.
  const bool plain = hex.size() == 64 && hex.find_first_not_of("0123456789abcdef") == std::string_view::npos;
  return plain ? std::string(hex) : sha256_hex(image_id);
}

// Everything that the outcome depends on. The image's id stands for its files.
std::string key_of(const IdentityRequest& request) {
  const ResolvedUser& user = request.user;
  std::string text = fmt::format("{}\n{}\n{}:{} {}{}\n", kFormat, request.image_id, user.uid.value(),
                                 user.gid.value(), user.has_entry, user.names_groups ? "" : " unnamed");
  for (const ContainerGid gid : user.groups) text += fmt::format("{} ", gid.value());
  for (const std::string_view field : {std::string_view(user.name), std::string_view(user.home),
                                       std::string_view(user.shell), request.working_directory}) {
    text += fmt::format("\n{} {}", field.size(), field);
  }
  // Nothing where nothing is wanted, as is usual.
  const WantedEntries& wanted = request.wanted;
  const auto add = [&](std::string_view what, std::string_view field) {
    if (!field.empty()) text += fmt::format("\n{} {} {}", what, field.size(), field);
  };
  if (!wanted.any) text += "\nnone";
  add("passwd-entry", wanted.passwd_template);
  add("group-entry", wanted.group_template);
  add("mounted-home", wanted.mounted_home);
  for (const PasswdFields& host : wanted.host_users) {
    add("user", host.name);
    add("description", host.gecos);
    text += fmt::format("\n{}:{}", host.uid, host.gid);
    add("home", host.home);
  }
  for (const auto& [name, gid] : wanted.host_groups) {
    add("group", name);
    text += fmt::format("\n{}", gid);
  }
  return image_part(request.image_id) + "-" + sha256_hex(text).substr(0, 32);
}

// One "word rest" a line: no field can hold a newline.
std::string render_record(const Identity& identity) {
  std::string out = fmt::format("{}\n", kFormat);
  if (!identity.layer.empty()) out += fmt::format("layer {}\n", identity.layer);
  out += fmt::format("home {}\n", identity.home);
  for (const std::string& line : identity.added_passwd) out += "passwd " + line;
  for (const std::string& line : identity.added_group) out += "group " + line;
  for (const std::string& warning : identity.warnings) out += fmt::format("warning {}\n", printable(warning));
  return out;
}

Result<Identity> parse_record(std::string_view text) {
  Identity identity;
  bool first = true;
  while (!text.empty()) {
    const size_t newline = text.find('\n');
    if (newline == std::string_view::npos) return fail("it is cut off");
    const std::string_view line = text.substr(0, newline);
    text.remove_prefix(newline + 1);
    if (std::exchange(first, false)) {
      if (line != kFormat) return fail("it begins with \"{}\"", line);
      continue;
    }
    const size_t space = line.find(' ');
    const std::string_view word = line.substr(0, space);
    const std::string rest(space == std::string_view::npos ? std::string_view() : line.substr(space + 1));
    if (word == "layer") identity.layer = rest;
    if (word == "home") identity.home = rest;
    if (word == "passwd") identity.added_passwd.push_back(rest + "\n");
    if (word == "group") identity.added_group.push_back(rest + "\n");
    if (word == "warning") identity.warnings.push_back(rest);
  }
  if (identity.home.empty()) return fail("it is cut off");
  return identity;
}

// nullopt: it has not been made yet.
Result<std::optional<Identity>> load(const store::Store& store, const std::string& key) {
  const std::string path = fmt::format("identities/{}/identity", key);
  const Result<std::string> text = sys::read_file_at(store.root(), path, kMaxRecordBytes);
  if (!text && text.error().err == ENOENT) return std::nullopt;
  if (!text) return std::unexpected(text.error());
  return TRY_CONTEXT(parse_record(*text), "the file {} in {} is damaged", path, store.locations().root);
}

// One of the two files, planned: where it goes and what is in it.
struct PlannedFile {
  store::ImagePath place;
  std::string text;
};

// nullopt and a warning where the image's file can't be extended.
std::optional<PlannedFile> plan_file(const store::LayerStack& image, const std::string& path,
                                     std::optional<std::string_view> original,
                                     std::span<const std::string> lines, std::vector<std::string>& warnings) {
  if (lines.empty()) return std::nullopt;
  Result<store::ImagePath> place = store::follow(image, path);
  std::string reason;
  if (!place) {
    reason = place.error().message;
  } else if (place->parts.empty()) {
    reason = "it leads to the root directory";
  } else if (place->exists() && !S_ISREG(place->target->st_mode)) {
    reason = "it is not a regular file";
  } else if (place->exists() && !original) {
    reason = fmt::format("it has more than {} bytes or can't be read", kMaxAccountFileBytes);
  }
  if (reason.empty()) return PlannedFile{std::move(*place), with_lines(original.value_or(""), lines)};
  warnings.push_back(
      fmt::format("The image's {} can't be given the entries that it lacks: {}.", path, reason));
  return std::nullopt;
}

struct Plan {
  Identity identity;
  std::vector<PlannedFile> files;
};

Result<Plan> make_plan(const IdentityRequest& request, const store::LayerStack& image) {
  Plan plan;
  Identity& identity = plan.identity;
  const std::string home = !request.wanted.mounted_home.empty()
                               ? request.wanted.mounted_home
                               : choose_home(image, request.user, request.working_directory);
  AddedLines added = TRY(added_lines(request, home));
  identity.home = std::move(added.home);
  identity.added_passwd = std::move(added.passwd);
  identity.added_group = std::move(added.group);
  identity.warnings = std::move(added.warnings);
  auto passwd =
      plan_file(image, "/etc/passwd", request.files.passwd, identity.added_passwd, identity.warnings);
  auto group = plan_file(image, "/etc/group", request.files.group, identity.added_group, identity.warnings);
  if (passwd && group && passwd->place.parts == group->place.parts) {
    identity.warnings.emplace_back(
        "The image's /etc/passwd and /etc/group are one file; only users are added to it.");
    group.reset();
  }
  if (!passwd) identity.added_passwd.clear();
  if (!group) identity.added_group.clear();
  if (passwd) plan.files.push_back(std::move(*passwd));
  if (group) plan.files.push_back(std::move(*group));
  return plan;
}

Result<> sync_dir(int dirfd, const std::string& name) {
  const sys::UniqueFd dir = TRY(sys::open_at(dirfd, name, O_RDONLY | O_DIRECTORY));
  if (::fsync(dir.get()) != 0) return fail_errno(errno, "sync {}", name);
  return {};
}

Result<> write_synced(int dirfd, const std::string& path, std::string_view text) {
  const sys::UniqueFd file = TRY(sys::open_at(dirfd, path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600));
  TRY_CONTEXT(sys::write_all(file.get(), text), "{}", path);
  if (::fsync(file.get()) != 0) return fail_errno(errno, "sync {}", path);
  return {};
}

// Everything is on disk before the name appears under identities/.
Result<> install(const store::Store& store, const std::string& key, const Plan& plan,
                 const store::LayerStack& image) {
  const store::Staging staging = TRY(store::Staging::create(store));
  TRY(sys::ensure_dir_at(staging.fd(), "made", 0700));
  if (!plan.files.empty()) {
    TRY(sys::ensure_dir_at(staging.fd(), "made/layer", 0755));
    LayerWriter layer(TRY(sys::open_at(staging.fd(), "made/layer", O_RDONLY | O_DIRECTORY)), image);
    for (const PlannedFile& file : plan.files) TRY(layer.add_file(file.place, file.text));
    TRY(layer.finish());
  }
  TRY(write_synced(staging.fd(), "made/identity", render_record(plan.identity)));
  TRY(sync_dir(staging.fd(), "made"));
  fault::point("identity-staged");
  const std::string place = "identities/" + key;
  if (::renameat(staging.fd(), "made", store.root(), place.c_str()) != 0) {
    // Another start was faster, and made the same.
    if (errno != EEXIST && errno != ENOTEMPTY) return fail_errno(errno, "put the identity at {}", place);
    return {};
  }
  return sync_dir(store.root(), "identities");
}

}  // namespace

Result<Identity> identity_for(const store::Store& store, const IdentityRequest& request,
                              const OpenImage& open_image) {
  // The usual case for root costs nothing at all.
  if (home_is_certain(request.user) && request.wanted.mounted_home.empty() &&
      missing_entries(request.files, request.user, request.wanted).empty()) {
    AddedLines nothing = TRY(added_lines(request, request.user.home));
    return Identity{.home = request.user.home, .warnings = std::move(nothing.warnings)};
  }
  const std::string key = key_of(request);
  IdentityUse use = TRY(IdentityUse::begin(store));
  if (std::optional<Identity> known = TRY(load(store, key))) {
    if (!known->layer.empty()) TRY(use.record(request.container, key));
    return std::move(*known);
  }
  const auto making = [&] {
    return fmt::format("make the passwd entry of UID {}", request.user.uid.value());
  };
  const store::LayerStack image = TRY_CONTEXT(open_image(), "{}", making());
  Plan plan = TRY_CONTEXT(make_plan(request, image), "{}", making());
  if (!plan.files.empty()) plan.identity.layer = fmt::format("identities/{}/layer", key);
  TRY_CONTEXT(install(store, key, plan, image), "{}", making());
  if (!plan.identity.layer.empty()) TRY(use.record(request.container, key));
  use.end();
  remove_unused_identities(store, image_part(request.image_id));
  return std::move(plan.identity);
}

Result<> remove_identities(const store::Store& store, std::string_view image_id) {
  const sys::UniqueFd identities = TRY(sys::open_at(store.root(), "identities", O_RDONLY | O_DIRECTORY));
  const std::string prefix = image_part(image_id) + "-";
  for (const std::string& name : TRY(sys::list_dir(identities.get()))) {
    if (name.starts_with(prefix)) TRY(sys::remove_tree_at(identities.get(), name));
  }
  return {};
}

}  // namespace berth::engine
