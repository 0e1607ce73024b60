#include "cgroup/cgroup.h"

#include <algorithm>
#include <cerrno>

#include <fcntl.h>
#include <sys/stat.h>

#include "base/fields.h"
#include "cgroup/control_file.h"
#include "cgroup/make_cgroup.h"
#include "sys/file.h"

namespace berth::cgroup {

namespace {

bool not_allowed(int err) {
  return err == EACCES || err == EPERM || err == EROFS;
}

// The recorded directory; nullopt if it is gone, or another one is in its place.
Result<std::optional<Cgroup::Part>> open_entry(const Hierarchies& hierarchies, const RecordEntry& entry) {
  const Hierarchy* hierarchy = hierarchies.find(entry.hierarchy);
  if (hierarchy == nullptr) return std::optional<Cgroup::Part>();
  const CgroupsPath path = TRY(parse_cgroups_path(entry.path));
  Result<sys::UniqueFd> directory = open_path_below(hierarchy->root->get(), path.text().substr(1));
  if (!directory && directory.error().err == ENOENT) return std::optional<Cgroup::Part>();
  Cgroup::Part part{*hierarchy, entry.path, TRY(std::move(directory)), entry.id};
  const struct stat found = TRY(sys::stat_at(part.fd.get(), "", AT_EMPTY_PATH));
  if (found.st_ino != entry.id) return std::optional<Cgroup::Part>();
  return std::optional<Cgroup::Part>(std::move(part));
}

// Without those that v1 has here: they are there without being enabled.
CreateOptions for_v2(const Hierarchies& hierarchies, CreateOptions options) {
  std::erase_if(options.required, [&hierarchies](const std::string& name) {
    return std::any_of(hierarchies.all.begin(), hierarchies.all.end(), [&name](const Hierarchy& one) {
      return !one.v2() && one.has(name == "io" ? "blkio" : name);
    });
  });
  return options;
}

// A part, for this caller alone: of two who find an unused one at the same time, and may both have made it,
// one gets it. Each part has a claim of its own, for those that somebody else is about to remove, as left by
// a maker that was killed, may be only some of them.
Result<Cgroup::Part> make_and_claim(const Hierarchy& hierarchy, const CgroupsPath& path, bool unified,
                                    const CreateOptions& options, MadeDirectories& made,
                                    std::vector<sys::UniqueFd>& claims) {
  constexpr int kAttempts = 16;
  for (int attempt = 0;; ++attempt) {
    Cgroup::Part part = TRY(make_part(hierarchy, path, unified, options, made));
    Result<sys::UniqueFd> lock = claim(part);
    if (lock) {
      claims.push_back(std::move(*lock));
      return part;
    }
    // The other one has failed, and has taken it away.
    const bool gone = lock.error().err == ENOENT || lock.error().err == ENODEV;
    if (gone && attempt < kAttempts) continue;
    // Whoever has the first one gets the others too, so it is left as it is.
    if (lock.error().code == Code::conflict && claims.empty()) made.keep();
    return std::unexpected(lock.error());
  }
}

}  // namespace

std::string record_text(const std::vector<RecordEntry>& record) {
  std::string text;
  for (const RecordEntry& entry : record)
    text += fmt::format("{}:{}:{}\n", entry.id, entry.hierarchy, entry.path);
  return text;
}

Result<std::vector<RecordEntry>> parse_record(std::string_view text) {
  std::vector<RecordEntry> record;
  while (!text.empty()) {
    if (text.find('\n') == std::string_view::npos) return fail(Code::refused, "a cgroup's record is cut off");
    std::string_view line = take_until(text, '\n');
    const auto id = whole_number<uint64_t>(take_until(line, ':'));
    if (!id || line.find(':') == std::string_view::npos) {
      return fail(Code::refused, "a line of a cgroup's record is not ID:hierarchy:path");
    }
    RecordEntry entry{.hierarchy = std::string(take_until(line, ':')), .path = std::string(line), .id = *id};
    const CgroupsPath path = TRY(parse_cgroups_path(entry.path));
    if (path.text() != entry.path || !path.absolute) {
      return fail(Code::refused, "the path {} in a cgroup's record is not one", printable(entry.path));
    }
    record.push_back(std::move(entry));
  }
  return record;
}

Result<Cgroup> Cgroup::create(const Hierarchies& hierarchies, const CgroupsPath& path,
                              const CreateOptions& options) {
  const CreateOptions here = for_v2(hierarchies, options);
  std::vector<sys::UniqueFd> claims;
  MadeDirectories made;
  std::vector<Part> parts;
  std::optional<Error> refused;
  for (const Hierarchy& hierarchy : hierarchies.all) {
    Result<Part> part = here.adopted
                            ? make_part(hierarchy, path, hierarchies.unified(), here, made)
                            : make_and_claim(hierarchy, path, hierarchies.unified(), here, made, claims);
    if (part) {
      parts.push_back(std::move(*part));
    } else if (here.where_allowed && not_allowed(part.error().err)) {
      refused = std::move(part.error());
    } else {
      return std::unexpected(std::move(part.error()));
    }
  }
  if (parts.empty()) {
    if (refused) return std::unexpected(std::move(*refused));
    return fail("no cgroup hierarchy is mounted");
  }
  made.keep();
  return Cgroup(std::move(parts), std::move(claims));
}

Result<Cgroup> Cgroup::open(const Hierarchies& hierarchies, const std::vector<RecordEntry>& record) {
  std::vector<Part> parts;
  for (const RecordEntry& entry : record) {
    std::optional<Part> part =
        TRY_CONTEXT(open_entry(hierarchies, entry), "open the cgroup {}", printable(entry.path));
    if (part) parts.push_back(std::move(*part));
  }
  if (parts.empty()) return fail(Code::not_found, "the cgroup is gone");
  return Cgroup(std::move(parts));
}

Result<Cgroup> Cgroup::open_unused(const Hierarchies& hierarchies, const CgroupsPath& path) {
  Result<Cgroup> unused = find_and_claim(hierarchies, path);
  const bool used = !unused && unused.error().code == Code::conflict;
  if (!used && (!unused || !unused->parts_.empty())) return unused;
  return fail(Code::not_found, "there is no unused cgroup {}", path.text());
}

Result<Cgroup> Cgroup::find_and_claim(const Hierarchies& hierarchies, const CgroupsPath& path) {
  std::vector<Part> parts;
  std::vector<sys::UniqueFd> claims;
  for (const Hierarchy& hierarchy : hierarchies.all) {
    std::optional<Part> part = TRY(find_unused_part(hierarchy, path, hierarchies.unified()));
    if (!part) continue;
    claims.push_back(TRY(claim(*part)));
    parts.push_back(std::move(*part));
  }
  return Cgroup(std::move(parts), std::move(claims));
}

std::vector<RecordEntry> Cgroup::record() const {
  std::vector<RecordEntry> record;
  for (const Part& part : parts_) record.push_back({part.hierarchy.key, part.path, part.id});
  return record;
}

const Cgroup::Part* Cgroup::v2() const {
  return !parts_.empty() && parts_.front().v2() ? &parts_.front() : nullptr;
}

int Cgroup::clone_fd() const {
  return v2() == nullptr ? -1 : v2()->fd.get();
}

const Cgroup::Part* Cgroup::with_controller(std::string_view controller) const {
  for (const Part& part : parts_) {
    if (part.hierarchy.has(controller)) return &part;
  }
  if (v2() == nullptr) return nullptr;
  const auto enabled = read_words(v2()->fd.get(), "cgroup.controllers");
  return enabled && contains(*enabled, controller) ? v2() : nullptr;
}

}  // namespace berth::cgroup
