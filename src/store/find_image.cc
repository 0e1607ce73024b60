// From what a person types to an image.
#include <algorithm>
#include <set>

#include "base/nearest.h"
#include "oci/digest.h"
#include "oci/reference.h"
#include "store/images.h"
#include "store/local_name.h"

namespace berth::store {

namespace {

// One statement gives all of an image, so that what it gives belongs together whatever others do meanwhile.
constexpr const char* kColumns =
    "i.id, i.manifest_digest, i.config, i.passwd, i.\"group\", i.size, i.pulled_at, i.root_mode, i.root_uid, "
    "i.root_gid, (SELECT group_concat(directory, '/') FROM (SELECT directory FROM image_layers WHERE "
    "image_id = i.id "
    "AND directory IS NOT NULL ORDER BY position))";

std::optional<std::string> optional_text(const Statement& row, int column) {
  if (row.is_null(column)) return std::nullopt;
  return row.text(column);
}

// A row of kColumns.
ImageRecord record_of(const Statement& row) {
  ImageRecord image;
  image.id = row.text(0);
  image.manifest_digest = row.text(1);
  image.config = row.text(2);
  image.passwd = optional_text(row, 3);
  image.group = optional_text(row, 4);
  image.size = row.number(5);
  image.pulled_at = row.number(6);
  image.root = RootAttributes{static_cast<uint32_t>(row.number(7)), static_cast<uint32_t>(row.number(8)),
                              static_cast<uint32_t>(row.number(9))};
  const std::string layers = row.text(10);
  for (size_t begin = 0; begin < layers.size();) {
    const size_t end = std::min(layers.find('/', begin), layers.size());
    image.layers.push_back(layers.substr(begin, end - begin));
    begin = end + 1;
  }
  return image;
}

// The part behind the registry as it was typed, with its tag: "busybox:latest" of "busybox".
std::string typed_part(std::string_view word, const oci::Reference& reference) {
  std::string text(word.substr(0, word.find('@')));
  const size_t colon = text.find(':', text.rfind('/') == std::string::npos ? 0 : text.rfind('/'));
  if (colon == std::string::npos && reference.tag()) text += ":" + *reference.tag();
  return text;
}

using Found = Result<std::optional<ImageRecord>>;

// By a full name; where the word names no registry, berth's own images ("localhost/") come before
// docker.io's.
Found find_by_name(Store& store, std::string_view word, const oci::Reference& reference) {
  Statement query = TRY(store.db().prepare(fmt::format(
      "SELECT {}, n.name FROM image_names n JOIN images i ON i.id = n.image_id WHERE n.name IN (?1, ?2) "
      "ORDER BY n.name = ?1 LIMIT 1",
      kColumns)));
  query.bind(1, reference.full());
  if (!names_registry(word, reference)) query.bind(2, "localhost/" + typed_part(word, reference));
  if (!TRY(query.step())) return std::nullopt;
  ImageRecord image = record_of(query);
  image.name = query.text(11);
  return image;
}

// "busybox@sha256:…", where the image came by a tag.
Found find_by_digest(Store& store, const oci::Reference& reference) {
  if (!reference.digest()) return std::nullopt;
  Statement query = TRY(store.db().prepare(fmt::format(
      "SELECT {0}, n.name FROM images i JOIN image_names n ON n.image_id = i.id "
      "WHERE i.manifest_digest = ?1 AND substr(n.name, 1, length(?2)) = ?2 ORDER BY n.name LIMIT 1",
      kColumns)));
  query.bind(1, reference.digest()->str()).bind(2, reference.name() + ":");
  if (!TRY(query.step())) return std::nullopt;
  ImageRecord image = record_of(query);
  image.name = query.text(11);
  return image;
}

// "demo" for the one image that is called "example.org/team/demo:latest".
Found find_by_last_part(Store& store, std::string_view word, const oci::Reference& reference) {
  if (names_registry(word, reference) || reference.digest()) return std::nullopt;
  Statement query = TRY(store.db().prepare(
      fmt::format("SELECT {0}, n.name FROM image_names n JOIN images i ON i.id = n.image_id "
                  "WHERE substr(n.name, -length(?1)) = ?1 ORDER BY n.name",
                  kColumns)));
  query.bind(1, "/" + typed_part(word, reference));
  std::optional<ImageRecord> found;
  while (TRY(query.step())) {
    if (found && found->id != query.text(0)) {
      Error error =
          fail(Code::conflict, "\"{}\" could be {} or {}", word, found->name, query.text(11)).error();
      return std::unexpected(std::move(error).with_hint("Use the whole name."));
    }
    if (found) continue;
    found = record_of(query);
    found->name = query.text(11);
  }
  return found;
}

Found find_by_id(Store& store, std::string_view word) {
  constexpr std::string_view kPrefix = "sha256:";
  const std::string_view hex = word.starts_with(kPrefix) ? word.substr(kPrefix.size()) : word;
  constexpr size_t kHexLength = 64;
  if (hex.size() > kHexLength || !oci::is_hex(hex)) return std::nullopt;
  const std::string from = fmt::format("{}{}", kPrefix, hex);
  Statement query = TRY(store.db().prepare(
      fmt::format("SELECT {} FROM images i WHERE i.id >= ?1 AND i.id < ?2 LIMIT 2", kColumns)));
  // 'g' comes after every hexadecimal digit.
  query.bind(1, from).bind(2, from + "g");
  if (!TRY(query.step())) return std::nullopt;
  ImageRecord image = record_of(query);
  if (TRY(query.step())) {
    Error error = fail(Code::conflict, "several images have an ID that begins with {}", hex).error();
    return std::unexpected(std::move(error).with_hint("Give more digits of it; `berth images` lists them."));
  }
  return image;
}

Result<std::string> hint_for(Store& store, std::string_view word) {
  Statement query = TRY(store.db().prepare("SELECT name FROM image_names"));
  std::set<std::string> names;
  while (TRY(query.step())) {
    const std::string full = query.text(0);
    names.insert(full);
    const Result<oci::Reference> reference = oci::Reference::parse(full);
    if (!reference) continue;
    const std::string familiar = reference->familiar();
    names.insert(familiar);
    names.insert(familiar.substr(0, familiar.rfind(':')));
    if (full.starts_with("localhost/")) names.insert(full.substr(10, full.rfind(':') - 10));
  }
  const std::vector<std::string_view> candidates(names.begin(), names.end());
  const std::string_view near = nearest(word, candidates);
  if (!near.empty()) return fmt::format("Did you mean {}?", near);
  return fmt::format("`berth images` lists the images; `berth pull {}` fetches it.", word);
}

Found find_any(Store& store, std::string_view word) {
  const Result<oci::Reference> reference = oci::Reference::parse(word);
  if (reference && !word.starts_with("sha256:")) {
    for (const auto& find : {find_by_name, find_by_last_part}) {
      std::optional<ImageRecord> found = TRY(find(store, word, *reference));
      if (found) return found;
    }
    std::optional<ImageRecord> found = TRY(find_by_digest(store, *reference));
    if (found) return found;
  }
  return find_by_id(store, word);
}

}  // namespace

Result<ImageRecord> find_image(Store& store, std::string_view word) {
  std::optional<ImageRecord> image = TRY(find_any(store, word));
  if (!image) {
    Error error = fail(Code::not_found, "there is no image \"{}\"", word).error();
    return std::unexpected(std::move(error).with_hint(TRY(hint_for(store, word))));
  }
  return std::move(*image);
}

}  // namespace berth::store
