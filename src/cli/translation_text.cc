#include "cli/translation_text.h"

#include <map>
#include <nlohmann/json.hpp>

#include <time.h>

#include "cli/image_text.h"
#include "cli/json_text.h"
#include "cli/table.h"
#include "cli/times.h"
#include "idmap/id_map.h"
#include "store/images.h"
#include "store/translations.h"

namespace berth::cli {

namespace {

using Json = nlohmann::ordered_json;
using Names = std::map<std::string, std::vector<std::string>>;  // by the image's ID

struct Row {
  const store::Translation* copy;
  const std::vector<std::string>* names;
};

Json extents_of(const std::string& text) {
  Json list = Json::array();
  if (const Result<idmap::IdMap> map = idmap::IdMap::parse(text)) {
    for (const idmap::Extent& extent : map->extents())
      list.push_back(fmt::format("{}:{}:{}", extent.inside, extent.outside, extent.count));
  }
  return list;
}

std::string map_of(const store::Translation& copy) {
  const auto describe = [](const std::string& text) {
    const Result<idmap::IdMap> map = idmap::IdMap::parse(text);
    return map ? map->describe() : std::string("?");
  };
  if (copy.uid_map == copy.gid_map) return describe(copy.uid_map);
  return fmt::format("{}; groups {}", describe(copy.uid_map), describe(copy.gid_map));
}

Json json_rows(const std::vector<Row>& rows) {
  Json list = Json::array();
  for (const Row& row : rows) {
    const store::Translation& copy = *row.copy;
    list.push_back({{"ImageId", hex_of(copy.image_id)},
                    {"RepoTags", *row.names},
                    {"Size", copy.size},
                    {"Files", copy.files},
                    {"UidMap", extents_of(copy.uid_map)},
                    {"GidMap", extents_of(copy.gid_map)},
                    {"Created", copy.created_at},
                    {"CreatedAt", rfc3339(std::chrono::seconds(copy.created_at))},
                    {"Directory", "translated/" + copy.directory}});
  }
  return list;
}

void print_table(const std::vector<Row>& rows, bool heading) {
  std::vector<std::vector<std::string>> lines;
  if (heading) lines.push_back({"IMAGE", "IMAGE ID", "FILES", "SIZE", "CREATED", "IDS"});
  const int64_t now = ::time(nullptr);
  for (const Row& row : rows) {
    const store::Translation& copy = *row.copy;
    lines.push_back({row.names->empty() ? "<none>" : row.names->front(), short_id(copy.image_id),
                     fmt::format("{}", copy.files), human_size(copy.size),
                     time_span(std::chrono::seconds(now - copy.created_at)) + " ago", map_of(copy)});
  }
  fmt::print("{}", table(lines));
}

}  // namespace

void announce_translation(const engine::TranslationCost& cost) {
  fmt::print(stderr, "berth: copying {} for the IDs {}: {} files, {}\n", printable(cost.image), cost.ids,
             cost.files, human_size(cost.bytes));
}

Result<int> list_translations(store::Store& store, const TranslationList& list) {
  Names names;
  for (const store::ImageSummary& image : TRY(store::list_images(store))) names[image.id] = image.names;
  const std::vector<store::Translation> copies = TRY(store::list_translations(store));
  std::vector<Row> rows;
  for (const store::Translation& copy : copies) {
    const std::vector<std::string>& of_image = names[copy.image_id];
    const bool wanted = list.name.empty() ||
                        std::any_of(of_image.begin(), of_image.end(),
                                    [&](const std::string& name) { return name_matches(name, list.name); });
    if (wanted) rows.push_back({&copy, &of_image});
  }
  if (list.json) {
    print_json(json_rows(rows));
  } else {
    print_table(rows, list.heading);
  }
  return 0;
}

}  // namespace berth::cli
