#include "store/images.h"

#include <algorithm>
#include <ctime>

namespace berth::store {

Result<std::vector<ImageSummary>> list_images(Store& store) {
  Statement query = TRY(
      store.db().prepare("SELECT id, manifest_digest, config, size, pulled_at, n.name FROM images "
                         "LEFT JOIN image_names n ON n.image_id = id ORDER BY pulled_at DESC, id, n.name"));
  std::vector<ImageSummary> images;
  while (TRY(query.step())) {
    if (images.empty() || images.back().id != query.text(0)) {
      images.push_back(
          ImageSummary{query.text(0), query.text(1), query.text(2), {}, query.number(3), query.number(4)});
    }
    if (!query.is_null(5)) images.back().names.push_back(query.text(5));
  }
  return images;
}

Result<std::vector<ImageLayer>> image_layers(Store& store, std::string_view id) {
  Statement query = TRY(store.db().prepare(
      "SELECT i.blob, i.diff_id, i.directory, coalesce(l.size, 0) FROM image_layers i "
      "LEFT JOIN layers l ON l.directory = i.directory WHERE image_id = ?1 ORDER BY position"));
  query.bind(1, id);
  std::vector<ImageLayer> layers;
  while (TRY(query.step())) {
    ImageLayer layer{query.text(0), query.text(1), std::nullopt, query.number(3)};
    if (!query.is_null(2)) layer.directory = query.text(2);
    layers.push_back(std::move(layer));
  }
  return layers;
}

Result<ImageDocuments> image_documents(Store& store, std::string_view id) {
  Statement query = TRY(store.db().prepare("SELECT manifest, config FROM images WHERE id = ?1"));
  if (!TRY(query.bind(1, id).step())) return fail(Code::not_found, "there is no image {}", id);
  return ImageDocuments{query.text(0), query.text(1)};
}

Result<std::vector<std::string>> image_names(Store& store, std::string_view id) {
  Statement query = TRY(store.db().prepare("SELECT name FROM image_names WHERE image_id = ?1 ORDER BY name"));
  query.bind(1, id);
  return query.texts();
}

namespace {

Result<> insert_name(Store& store, std::string_view id, std::string_view name) {
  Statement insert =
      TRY(store.db().prepare("INSERT OR REPLACE INTO image_names (name, image_id) VALUES (?1, ?2)"));
  return insert.bind(1, name).bind(2, id).run();
}

Result<> insert_image(Store& store, const NewImage& image) {
  Statement insert = TRY(store.db().prepare(
      "INSERT OR REPLACE INTO images (id, manifest_digest, manifest, config, size, pulled_at, root_mode, "
      "root_uid, "
      "root_gid, passwd, \"group\") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)"));
  int64_t size = 0;
  for (const ImageLayer& layer : image.layers) size += layer.size;
  insert.bind(1, image.id).bind(2, image.manifest_digest).bind(3, image.manifest).bind(4, image.config);
  insert.bind(5, size).bind(6, static_cast<int64_t>(::time(nullptr)));
  insert.bind(7, int64_t{image.root.mode}).bind(8, int64_t{image.root.uid}).bind(9, int64_t{image.root.gid});
  insert.bind(10, image.passwd).bind(11, image.group);
  return insert.run();
}

Result<> insert_layers(Store& store, const NewImage& image) {
  Statement clear = TRY(store.db().prepare("DELETE FROM image_layers WHERE image_id = ?1"));
  TRY(clear.bind(1, image.id).run());
  Statement insert = TRY(store.db().prepare(
      "INSERT INTO image_layers (image_id, position, blob, diff_id, directory) VALUES (?1, ?2, ?3, ?4, ?5)"));
  for (size_t i = 0; i < image.layers.size(); ++i) {
    const ImageLayer& layer = image.layers[i];
    insert.reset();
    insert.bind(1, image.id).bind(2, static_cast<int64_t>(i)).bind(3, layer.blob).bind(4, layer.diff_id);
    insert.bind(5, layer.directory);
    TRY(insert.run());
  }
  return {};
}

}  // namespace

Result<> record_image(Store& store, const NewImage& image, std::span<const std::string> names) {
  Transaction transaction = TRY(Transaction::begin(store.db()));
  TRY(insert_image(store, image));
  TRY(insert_layers(store, image));
  for (const std::string& name : names) TRY(insert_name(store, image.id, name));
  return transaction.commit();
}

Result<> tag_image(Store& store, std::string_view id, std::string_view full_name) {
  Transaction transaction = TRY(Transaction::begin(store.db()));
  TRY(image_documents(store, id));
  TRY(insert_name(store, id, full_name));
  return transaction.commit();
}

Result<bool> untag_image(Store& store, std::string_view full_name) {
  Statement remove = TRY(store.db().prepare("DELETE FROM image_names WHERE name = ?1"));
  TRY(remove.bind(1, full_name).run());
  return store.db().changes() > 0;
}

Result<std::vector<std::string>> containers_of_image(Store& store, std::string_view id) {
  Statement query = TRY(store.db().prepare("SELECT name FROM containers WHERE image_id = ?1 ORDER BY name"));
  query.bind(1, id);
  return query.texts();
}

Result<> remove_image(Store& store, std::string_view id) {
  Transaction transaction = TRY(Transaction::begin(store.db()));
  const std::vector<std::string> containers = TRY(containers_of_image(store, id));
  if (!containers.empty()) {
    Error error =
        fail(Code::conflict, "image {} is in use by the container {}", id, containers.front()).error();
    error.hint = fmt::format("`berth rm {}` removes the container.", fmt::join(containers, " "));
    return std::unexpected(std::move(error));
  }
  for (const char* sql :
       {"DELETE FROM image_names WHERE image_id = ?1", "DELETE FROM image_layers WHERE image_id = ?1",
        "DELETE FROM translations WHERE image_id = ?1", "DELETE FROM images WHERE id = ?1"}) {
    Statement statement = TRY(store.db().prepare(sql));
    TRY(statement.bind(1, id).run());
  }
  return transaction.commit();
}

}  // namespace berth::store
