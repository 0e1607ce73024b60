#include "engine/volumes/volume_admin.h"

#include <cerrno>
#include <ctime>
#include <nlohmann/json.hpp>

#include <fcntl.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/log.h"
#include "base/nearest.h"
#include "engine/container/announce.h"
#include "engine/container/names.h"
#include "engine/container/status.h"
#include "engine/volumes/volumes.h"
#include "store/staging.h"
#include "sys/file.h"

namespace berth::engine {

namespace {

using Json = nlohmann::json;

constexpr const char* kColumns = "name, created_at, anonymous, populated, labels";

// The record is berth's own, so what is no object of strings has no labels.
std::map<std::string, std::string> labels_in(const std::string& text) {
  std::map<std::string, std::string> labels;
  const Json document = Json::parse(text, nullptr, false);
  if (!document.is_object()) return labels;
  for (const auto& [key, value] : document.items()) {
    if (value.is_string()) labels[key] = value.get<std::string>();
  }
  return labels;
}

Volume read_row(const store::Statement& row) {
  return {.name = row.text(0),
          .created_at = row.number(1),
          .anonymous = row.number(2) != 0,
          .populated = row.number(3) != 0,
          .labels = labels_in(row.text(4))};
}

Result<std::vector<std::string>> users_of(store::Store& store, const std::string& name) {
  store::Statement query =
      TRY(store.db().prepare("SELECT container_id FROM container_volumes WHERE volume = ?"));
  query.bind(1, name);
  return query.texts();
}

std::unexpected<Error> no_such_volume(store::Store& store, std::string_view name) {
  Error error{Code::not_found, 0, fmt::format("there is no volume \"{}\"", name), {}};
  error.hint = "`berth volume ls` lists the volumes.";
  if (const Result<std::vector<Volume>> all = list_volumes(store)) {
    const std::vector<std::string_view> names = [&] {
      std::vector<std::string_view> views;
      for (const Volume& volume : *all) views.push_back(volume.name);
      return views;
    }();
    if (const std::string_view near = nearest(name, names); !near.empty())
      error.hint = fmt::format("Did you mean {}?", near);
  }
  return std::unexpected(std::move(error));
}

Result<> check_unused(store::Store& store, const std::string& name) {
  const std::vector<std::string> users = TRY(users_of(store, name));
  if (users.empty()) return {};
  constexpr size_t kShortId = 12;
  std::vector<std::string> shown;
  for (const std::string& id : users) shown.push_back(id.substr(0, kShortId));
  Error error = fail(Code::conflict, "the volume {} is used by {}", name, fmt::join(shown, ", ")).error();
  return std::unexpected(std::move(error).with_hint("`berth volume rm --force` removes the containers too."));
}

}  // namespace

std::string Volume::mount_point(const store::Store& store) const {
  return fmt::format("{}/{}", store.locations().root, volume_data_directory(name));
}

Result<std::vector<Volume>> list_volumes(store::Store& store) {
  store::Statement query =
      TRY(store.db().prepare(fmt::format("SELECT {} FROM volumes ORDER BY name", kColumns)));
  std::vector<Volume> volumes;
  while (TRY(query.step())) volumes.push_back(read_row(query));
  for (Volume& volume : volumes) volume.containers = TRY(users_of(store, volume.name));
  return volumes;
}

Result<Volume> find_volume(store::Store& store, std::string_view name) {
  store::Statement query =
      TRY(store.db().prepare(fmt::format("SELECT {} FROM volumes WHERE name = ?", kColumns)));
  query.bind(1, name);
  if (!TRY(query.step())) return no_such_volume(store, name);
  Volume volume = read_row(query);
  volume.containers = TRY(users_of(store, volume.name));
  return volume;
}

Result<std::string> volume_called(store::Store& store, std::string_view word) {
  constexpr int64_t kShown = 4;
  // The name itself is the shortest that begins so.
  store::Statement query =
      TRY(store.db().prepare("SELECT name FROM volumes WHERE substr(name, 1, length(?1)) = ?1 ORDER BY "
                             "length(name), name LIMIT ?2"));
  query.bind(1, word).bind(2, kShown);
  std::vector<std::string> found;
  while (!word.empty() && TRY(query.step())) found.push_back(query.text(0));
  if (found.empty()) return no_such_volume(store, word);
  if (found.size() == 1 || found.front() == word) return found.front();
  Error error{Code::usage, 0, fmt::format("several volumes begin with \"{}\"", word),
              fmt::format("{}{}", fmt::join(found, ", "), found.size() == kShown ? ", …" : "")};
  return std::unexpected(std::move(error));
}

Result<std::string> create_volume(store::Store& store, std::string name,
                                  const std::map<std::string, std::string>& labels) {
  if (name.empty()) name = TRY(made_up_volume_name());
  TRY_CONTEXT(check_name(name), "volume");
  // As containers are made, so that nobody takes the directory for something left behind.
  const sys::FileLock creating = TRY(sys::FileLock::shared(store.root(), kCreatingLock));
  TRY_CONTEXT(make_volume_directory(store, name), "make the volume {}", name);
  fault::point("volume-directory-made");
  store::Transaction transaction = TRY(store::Transaction::begin(store.db()));
  store::Statement known = TRY(store.db().prepare("SELECT 1 FROM volumes WHERE name = ?"));
  known.bind(1, name);
  if (TRY(known.step())) return fail(Code::conflict, "there is a volume {} already", name);
  store::Statement insert = TRY(
      store.db().prepare("INSERT INTO volumes (name, created_at, anonymous, labels) VALUES (?, ?, 0, ?)"));
  insert.bind(1, name).bind(2, int64_t{::time(nullptr)});
  TRY(insert.bind(3, Json(labels).dump(-1, ' ', false, Json::error_handler_t::replace)).run());
  TRY(transaction.commit());
  announce_volume(store, events::kCreate, name);
  return name;
}

Result<> remove_volume(store::Store& store, std::string_view name) {
  // All of it goes in one step; what is then removed file by file, without the lock, is nobody's any more.
  const store::Staging staging = TRY(store::Staging::create(store));
  // No container is being made meanwhile: it may have found the volume's directory and not have said so yet.
  const sys::FileLock quiet = TRY(sys::FileLock::exclusive(store.root(), kCreatingLock));
  store::Transaction transaction = TRY(store::Transaction::begin(store.db()));
  const Volume volume = TRY(find_volume(store, name));
  TRY(check_unused(store, volume.name));
  store::Statement forget = TRY(store.db().prepare("DELETE FROM volumes WHERE name = ?"));
  TRY(forget.bind(1, volume.name).run());
  const std::string path = volume_directory(volume.name);
  if (::renameat(store.root(), path.c_str(), staging.fd(), "volume") != 0 && errno != ENOENT)
    return fail_errno(errno, "remove the volume {}", volume.name);
  fault::point("volume-moved");
  const Result<> committed = transaction.commit();
  if (!committed && ::renameat(staging.fd(), "volume", store.root(), path.c_str()) != 0)
    log::warn("the content of the volume {} is lost: {}", volume.name, describe_errno(errno));
  if (committed) announce_volume(store, events::kRemove, volume.name);
  return committed;
}

}  // namespace berth::engine
