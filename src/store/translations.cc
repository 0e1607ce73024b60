#include "store/translations.h"

#include <algorithm>
#include <cerrno>
#include <ctime>

#include <fcntl.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/ids.h"
#include "base/sha256.h"
#include "idmap/id_map.h"
#include "store/staging.h"
#include "sys/file.h"

namespace berth::store {

namespace {

constexpr const char* kPlace = "translated";
constexpr const char* kColumns = "SELECT image_id, map, directory, size, files, created_at FROM translations";

// Both maps in one column. A map's text has a line for each extent, so an empty line parts them.
std::string key_of(std::string_view uid_map, std::string_view gid_map) {
  return fmt::format("{}\n{}", uid_map, gid_map);
}

Translation record_of(const Statement& row) {
  const std::string key = row.text(1);
  const size_t part = std::min(key.find("\n\n"), key.size() - 1);
  return {.image_id = row.text(0),
          .uid_map = key.substr(0, part + 1),
          .gid_map = part + 2 < key.size() ? key.substr(part + 2) : "",
          .directory = row.text(2),
          .size = row.number(3),
          .files = row.number(4),
          .created_at = row.number(5)};
}

Result<> sync_place(const Store& store) {
  const sys::UniqueFd place = TRY(sys::open_at(store.root(), kPlace, O_RDONLY | O_DIRECTORY));
  if (::fsync(place.get()) != 0) return fail_errno(errno, "sync the directory {}", kPlace);
  return {};
}

// Out of the way at once; the files go with `trash`.
Result<> move_away(const Store& store, const std::string& directory, const Staging& trash) {
  const std::string path = fmt::format("{}/{}", kPlace, directory);
  if (::renameat(store.root(), path.c_str(), trash.fd(), "translation") == 0 || errno == ENOENT) return {};
  return fail_errno(errno, "move {} out of the way", path);
}

Result<> record(Store& store, const Translation& translation) {
  Transaction transaction = TRY(Transaction::begin(store.db()));
  Statement image = TRY(store.db().prepare("SELECT 1 FROM images WHERE id = ?1"));
  if (!TRY(image.bind(1, translation.image_id).step()))
    return fail(Code::not_found, "the image {} has just been removed", translation.image_id);
  image.reset();
  Statement insert = TRY(store.db().prepare(
      "INSERT OR REPLACE INTO translations (image_id, map, directory, size, files, created_at) "
      "VALUES (?1, ?2, ?3, ?4, ?5, ?6)"));
  insert.bind(1, translation.image_id).bind(2, key_of(translation.uid_map, translation.gid_map));
  insert.bind(3, translation.directory).bind(4, translation.size).bind(5, translation.files);
  insert.bind(6, translation.created_at);
  TRY(insert.run());
  return transaction.commit();
}

Result<bool> has_container(Database& db, const Translation& translation) {
  Statement query = TRY(
      db.prepare("SELECT 1 FROM containers WHERE image_id = ?1 AND uid_map = ?2 AND gid_map = ?3 LIMIT 1"));
  query.bind(1, translation.image_id).bind(2, translation.uid_map).bind(3, translation.gid_map);
  return query.step();
}

// Whether a container that comes later can have the same map, because its banks stay somebody's.
Result<bool> has_lasting_banks(Database& db, const Translation& translation) {
  for (const std::string* text : {&translation.uid_map, &translation.gid_map}) {
    const Result<idmap::IdMap> map = idmap::IdMap::parse(*text);
    if (!map) return false;
    for (const idmap::Extent& extent : map->extents()) {
      Statement query = TRY(db.prepare(
          "SELECT count(*) FROM banks WHERE number BETWEEN ?1 AND ?2 AND owner_kind <> 'container'"));
      const int64_t first = extent.outside / kBankSize;
      const int64_t last = (int64_t{extent.outside} + extent.count - 1) / kBankSize;
      query.bind(1, first).bind(2, last);
      TRY(query.step());
      if (query.number(0) != last - first + 1) return false;
    }
  }
  return true;
}

}  // namespace

std::string translation_directory(std::string_view image_id, std::string_view uid_map,
                                  std::string_view gid_map) {
  return fmt::format("{}-{}", image_id.substr(image_id.find(':') + 1),
                     sha256_hex(key_of(uid_map, gid_map)).substr(0, 32));
}

Result<std::optional<Translation>> find_translation(Store& store, std::string_view image_id,
                                                    std::string_view uid_map, std::string_view gid_map) {
  Statement query = TRY(store.db().prepare(fmt::format("{} WHERE image_id = ?1 AND map = ?2", kColumns)));
  if (!TRY(query.bind(1, image_id).bind(2, key_of(uid_map, gid_map)).step())) return std::nullopt;
  return record_of(query);
}

Result<std::vector<Translation>> list_translations(Store& store) {
  Statement query = TRY(store.db().prepare(fmt::format("{} ORDER BY image_id, created_at, map", kColumns)));
  std::vector<Translation> list;
  while (TRY(query.step())) list.push_back(record_of(query));
  return list;
}

Result<> place_translation(Store& store, int staging, const std::string& staged_name,
                           const Translation& translation) {
  fault::point("translation-staged");
  const std::string path = fmt::format("{}/{}", kPlace, translation.directory);
  TRY(sys::ensure_dir_at(store.root(), kPlace, 0700));
  const Staging trash = TRY(Staging::create(store));
  TRY(move_away(store, translation.directory, trash));
  if (::renameat(staging, staged_name.c_str(), store.root(), path.c_str()) != 0)
    return fail_errno(errno, "move the copy to {}", path);
  TRY(sync_place(store));
  fault::point("translation-placed");
  const Result<> recorded = record(store, translation);
  if (!recorded) {
    const Staging unrecorded = TRY(Staging::create(store));
    TRY(move_away(store, translation.directory, unrecorded));
    return recorded;
  }
  fault::point("translation-recorded");
  return {};
}

Result<std::vector<Translation>> forget_unneeded_translations(Database& db, const Unneeded& which) {
  std::vector<Translation> all;
  {
    const bool one = !which.uid_map.empty();
    Statement query = TRY(
        db.prepare(fmt::format("{} WHERE (?1 = '' OR image_id = ?1) AND (?2 = '' OR map = ?2)", kColumns)));
    query.bind(1, which.image_id).bind(2, one ? key_of(which.uid_map, which.gid_map) : std::string());
    while (TRY(query.step())) all.push_back(record_of(query));
  }
  std::vector<Translation> forgotten;
  for (Translation& translation : all) {
    if (TRY(has_container(db, translation))) continue;
    if (which.kept_for_banks && TRY(has_lasting_banks(db, translation))) continue;
    Statement remove = TRY(db.prepare("DELETE FROM translations WHERE directory = ?1"));
    TRY(remove.bind(1, translation.directory).run());
    forgotten.push_back(std::move(translation));
  }
  return forgotten;
}

Result<> remove_translation_files(Store& store, const std::string& directory) {
  // Whoever makes it again holds this lock until it is recorded.
  const KeyLock lock = TRY(KeyLock::acquire(store, directory));
  Statement query = TRY(store.db().prepare("SELECT 1 FROM translations WHERE directory = ?1"));
  if (TRY(query.bind(1, directory).step())) return {};
  const Staging trash = TRY(Staging::create(store));
  return move_away(store, directory, trash);
}

}  // namespace berth::store
