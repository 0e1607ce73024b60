#include "store/layers.h"

#include <algorithm>
#include <cerrno>
#include <unordered_set>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>

#include "base/fault.h"
#include "base/log.h"
#include "oci/digest.h"
#include "store/staging.h"

namespace berth::store {

namespace {

constexpr const char* kLock = "images.lock";
constexpr const char* kBlobs = "blobs/sha256";
constexpr const char* kLayers = "layers";

std::string_view hex_of(std::string_view digest) {
  return digest.substr(digest.find(':') + 1);
}

Result<std::string> blob_name(std::string_view digest) {
  const oci::Digest parsed = TRY(oci::Digest::parse(digest));
  if (parsed.algorithm() != oci::Digest::Algorithm::sha256) {
    return fail(Code::refused, "blobs with {} digests are not stored", parsed.algorithm_name());
  }
  return std::string(parsed.hex());
}

Result<> sync_directory(int dirfd, const std::string& path) {
  const sys::UniqueFd dir = TRY(sys::open_at(dirfd, path, O_RDONLY | O_DIRECTORY));
  if (::fsync(dir.get()) != 0) return fail_errno(errno, "sync the directory {}", path);
  return {};
}

LayerRecord record_of(const Statement& row) {
  return LayerRecord{row.text(0),   row.text(1),        row.number(2),
                     row.number(3), row.number(4) != 0, row.number(5) != 0};
}

}  // namespace

Result<KeepLayers> KeepLayers::acquire(const Store& store) {
  return KeepLayers(TRY(sys::FileLock::shared(store.root(), kLock)));
}

std::string layer_directory(std::string_view diff_id) {
  return std::string(hex_of(diff_id));
}
std::string chained_layer_directory(std::string_view chain_id) {
  return fmt::format("chain-{}", hex_of(chain_id));
}

Result<std::optional<LayerRecord>> find_layer(Store& store, std::string_view directory) {
  Statement query = TRY(store.db().prepare(
      "SELECT directory, diff_id, size, files, lists_root, opaque_root FROM layers WHERE directory = ?1"));
  if (!TRY(query.bind(1, directory).step())) return std::nullopt;
  return record_of(query);
}

Result<std::optional<std::string>> find_blob(Store& store, std::string_view diff_id) {
  Statement query = TRY(store.db().prepare("SELECT blob FROM image_layers WHERE diff_id = ?1 LIMIT 1"));
  if (!TRY(query.bind(1, diff_id).step())) return std::nullopt;
  return query.text(0);
}

Result<std::optional<sys::UniqueFd>> open_blob(const Store& store, std::string_view digest) {
  const std::string path = fmt::format("{}/{}", kBlobs, TRY(blob_name(digest)));
  Result<sys::UniqueFd> fd = sys::open_at(store.root(), path, O_RDONLY | O_NOFOLLOW);
  if (!fd && fd.error().err == ENOENT) return std::nullopt;
  if (!fd) return std::unexpected(std::move(fd).error());
  return std::optional(std::move(*fd));
}

Result<sys::UniqueFd> open_layer(const Store& store, const std::string& directory) {
  return sys::open_at(store.root(), fmt::format("{}/{}", kLayers, directory),
                      O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
}

Result<> place_blob(const Store& store, int staging, const std::string& staged_name,
                    std::string_view digest) {
  const std::string path = fmt::format("{}/{}", kBlobs, TRY(blob_name(digest)));
  if (::renameat(staging, staged_name.c_str(), store.root(), path.c_str()) != 0) {
    return fail_errno(errno, "move a blob to {}", path);
  }
  return sync_directory(store.root(), kBlobs);
}

Result<> place_layer(Store& store, int staging, const std::string& staged_name, const LayerRecord& record) {
  const std::string path = fmt::format("{}/{}", kLayers, record.directory);
  int rc = ::renameat(staging, staged_name.c_str(), store.root(), path.c_str());
  if (rc != 0 && (errno == ENOTEMPTY || errno == EEXIST)) {
    const Staging trash = TRY(Staging::create(store));
    if (::renameat(store.root(), path.c_str(), trash.fd(), "layer") != 0) {
      return fail_errno(errno, "move an unfinished layer out of the way");
    }
    rc = ::renameat(staging, staged_name.c_str(), store.root(), path.c_str());
  }
  if (rc != 0) return fail_errno(errno, "move a layer to {}", path);
  TRY(sync_directory(store.root(), kLayers));
  fault::point("layer-placed");
  Statement insert = TRY(store.db().prepare(
      "INSERT OR REPLACE INTO layers (directory, diff_id, size, files, lists_root, opaque_root) "
      "VALUES (?1, ?2, ?3, ?4, ?5, ?6)"));
  insert.bind(1, record.directory).bind(2, record.diff_id).bind(3, record.size).bind(4, record.files);
  insert.bind(5, int64_t{record.lists_root}).bind(6, int64_t{record.opaque_root});
  TRY(insert.run());
  fault::point("layer-recorded");
  return {};
}

namespace {

// The first column of every row.
Result<std::unordered_set<std::string>> texts(Store& store, std::string_view sql) {
  Statement query = TRY(store.db().prepare(sql));
  std::unordered_set<std::string> result;
  while (TRY(query.step())) result.insert(query.text(0));
  return result;
}

// Moves what is in `path` and not among `kept` to the staging directory, which is removed later without any
// lock.
Result<> sweep(const Store& store, const std::string& path, const std::unordered_set<std::string>& kept,
               const Staging& trash) {
  const sys::UniqueFd dir = TRY(sys::open_at(store.root(), path, O_RDONLY | O_DIRECTORY));
  for (const std::string& name : TRY(sys::list_dir(dir.get()))) {
    if (kept.contains(name)) continue;
    if (::renameat(dir.get(), name.c_str(), trash.fd(), name.c_str()) != 0 && errno != ENOENT) {
      return fail_errno(errno, "remove {}/{}", path, name);
    }
  }
  return {};
}

}  // namespace

Result<int64_t> collect_garbage(Store& store) {
  TRY(clean_staging(store));
  Result<sys::FileLock> alone = sys::FileLock::try_exclusive(store.root(), kLock);
  if (!alone && alone.error().code == Code::conflict) return 0;
  if (!alone) return std::unexpected(std::move(alone).error());
  constexpr const char* kUnused =
      "FROM layers WHERE directory NOT IN "
      "(SELECT directory FROM image_layers WHERE directory IS NOT NULL)";
  int64_t bytes = 0;
  {
    Transaction transaction = TRY(Transaction::begin(store.db()));
    Statement sum = TRY(store.db().prepare(fmt::format("SELECT coalesce(sum(size), 0) {}", kUnused)));
    TRY(sum.step());
    bytes = sum.number(0);
    sum.reset();
    TRY(store.db().execute(fmt::format("DELETE {}", kUnused).c_str()));
    TRY(transaction.commit());
  }
  // From here on a killed process leaves files without a record, which the next collection sees.
  fault::point("garbage-forgotten");
  const Staging trash = TRY(Staging::create(store));
  const auto translations = TRY(texts(store, "SELECT directory FROM translations"));
  if (sys::exists_at(store.root(), "translated")) TRY(sweep(store, "translated", translations, trash));
  const auto layers = TRY(texts(store, "SELECT directory FROM layers"));
  const auto blobs = TRY(texts(store, "SELECT DISTINCT substr(blob, 8) FROM image_layers"));
  TRY(sweep(store, kLayers, layers, trash));
  TRY(sweep(store, kBlobs, blobs, trash));
  alone->release();
  return bytes;
}

}  // namespace berth::store
