// `berth image inspect` and `berth history`.
#include <time.h>

#include "cli/flags.h"
#include "cli/image_text.h"
#include "cli/images.h"
#include "cli/json_text.h"
#include "cli/table.h"
#include "cli/template.h"
#include "cli/times.h"
#include "oci/image_config.h"
#include "oci/json.h"
#include "oci/manifest.h"
#include "store/images.h"

namespace berth::cli {

namespace {

using Json = nlohmann::ordered_json;

Json describe_history(const oci::ImageConfig& config) {
  Json history = Json::array();
  for (const oci::HistoryEntry& entry : config.history) {
    Json step = {{"created", entry.created}, {"created_by", entry.created_by}};
    if (!entry.comment.empty()) step["comment"] = entry.comment;
    if (entry.empty_layer) step["empty_layer"] = true;
    history.push_back(std::move(step));
  }
  return history;
}

// podman's shape; "Config" is the image's own, as it stands in the document.
Result<Json> describe_image(store::Store& store, const store::ImageRecord& image) {
  const store::ImageDocuments documents = TRY(store::image_documents(store, image.id));
  const oci::ImageConfig config = TRY(oci::parse_image_config(documents.config));
  const oci::Manifest manifest = TRY(oci::parse_manifest(documents.manifest));
  const Json raw = Json::parse(documents.config, nullptr, false);
  const std::vector<std::string> names = TRY(store::image_names(store, image.id));
  const std::string directory = store.locations().root + "/layers/";
  std::vector<std::string> directories;
  for (const std::string& layer : image.layers) directories.insert(directories.begin(), directory + layer);
  std::vector<std::string> diff_ids;
  for (const oci::Digest& diff_id : config.diff_ids) diff_ids.push_back(diff_id.str());
  const std::string comment = config.history.empty() ? "" : config.history.back().comment;
  return Json{
      {"Id", hex_of(image.id)},
      {"Digest", image.manifest_digest},
      {"RepoTags", names},
      {"RepoDigests", repository_digests(names, image.manifest_digest)},
      {"Parent", ""},
      {"Comment", comment},
      {"Created", config.created},
      {"Config", raw.contains("config") && raw["config"].is_object() ? raw["config"] : Json::object()},
      {"Version", ""},
      {"Author", config.author},
      {"Architecture", config.platform.architecture},
      {"Os", config.platform.os},
      {"Size", image.size},
      {"VirtualSize", image.size},
      {"GraphDriver", {{"Name", "overlay"}, {"Data", {{"LowerDirs", directories}}}}},
      {"RootFS", {{"Type", "layers"}, {"Layers", diff_ids}}},
      {"Labels", config.labels},
      {"Annotations", manifest.annotations},
      {"ManifestType", manifest.media_type},
      {"User", config.user},
      {"History", describe_history(config)},
      {"NamesHistory", names}};
}

// The newest step first, as people read it.
Result<Json> history_rows(store::Store& store, const store::ImageRecord& image, bool no_trunc) {
  const oci::ImageConfig config = TRY(oci::parse_image_config(image.config));
  const std::vector<store::ImageLayer> layers = TRY(store::image_layers(store, image.id));
  const int64_t now = ::time(nullptr);
  constexpr size_t kCommandWidth = 45;
  Json rows = Json::array();
  size_t layer = 0;
  for (const oci::HistoryEntry& entry : config.history) {
    const int64_t size = entry.empty_layer || layer >= layers.size() ? 0 : layers[layer++].size;
    const int64_t created = parse_rfc3339(entry.created).value_or(0);
    std::string command = entry.created_by;
    if (!no_trunc && command.size() > kCommandWidth) command = command.substr(0, kCommandWidth - 3) + "...";
    Json row = {{"ID", "<missing>"},
                {"Created", created == 0 ? "" : time_span(std::chrono::seconds(now - created)) + " ago"},
                {"CreatedAt", created == 0 ? "" : rfc3339(std::chrono::seconds(created))},
                {"CreatedBy", command},
                {"Size", human_size(size)},
                {"Comment", entry.comment}};
    rows.insert(rows.begin(), std::move(row));
  }
  if (!rows.empty()) rows[0]["ID"] = no_trunc ? std::string(hex_of(image.id)) : short_id(image.id);
  return rows;
}

void print_history(const Json& rows, bool quiet) {
  std::vector<std::vector<std::string>> lines{{"ID", "CREATED", "CREATED BY", "SIZE", "COMMENT"}};
  for (const Json& row : rows) {
    if (quiet) fmt::print("{}\n", row["ID"].get<std::string>());
    std::vector<std::string> line;
    for (const char* field : {"ID", "Created", "CreatedBy", "Size", "Comment"}) {
      line.push_back(row[field].get<std::string>());
    }
    lines.push_back(std::move(line));
  }
  if (!quiet) fmt::print("{}", table(lines));
}

}  // namespace

Result<int> inspect_images(const Invocation& invocation) {
  std::string format;
  std::vector<std::string> words;
  Flags line(invocation, "[flags] IMAGE [IMAGE...]", "Prints all that is known of images, as JSON.",
             "  berth image inspect busybox\n  berth image inspect -f '{{.Digest}}' busybox\n");
  line.value("-f,--format", format, "json, or a template: \"{{.Config.User}}\"");
  line.words("images", words, Need::required);
  if (!TRY(line.parse())) return 0;
  store::Store store = TRY(open_store(invocation));
  Json list = Json::array();
  for (const std::string& word : words) {
    const store::ImageRecord image =
        TRY_CONTEXT(store::find_image(store, word), "cannot inspect \"{}\"", word);
    list.push_back(TRY_CONTEXT(describe_image(store, image), "cannot inspect \"{}\"", word));
  }
  if (format.empty() || format == "json") {
    print_json(list);
    return 0;
  }
  const Template parsed = TRY(Template::parse(format));
  for (const Json& image : list) fmt::print("{}\n", printable_lines(TRY(parsed.expand(image))));
  return 0;
}

Result<int> image_history(const Invocation& invocation) {
  std::string format;
  std::string word;
  bool no_trunc = false;
  bool quiet = false;
  Flags line(invocation, "[flags] IMAGE", "Prints how an image was made, the last step first.",
             "  berth history busybox\n");
  line.value("--format", format, "json, or a template: \"{{.CreatedBy}}\"");
  line.flag("--no-trunc", no_trunc, "Print whole IDs and commands");
  line.flag("-q,--quiet", quiet, "Print only IDs");
  line.word("image", word, Need::required);
  if (!TRY(line.parse())) return 0;
  store::Store store = TRY(open_store(invocation));
  const store::ImageRecord image =
      TRY_CONTEXT(store::find_image(store, word), "cannot show the history of \"{}\"", word);
  const Json rows = TRY(history_rows(store, image, no_trunc));
  if (format == "json") {
    print_json(rows);
  } else if (!format.empty()) {
    const Template parsed = TRY(Template::parse(format));
    for (const Json& row : rows) fmt::print("{}\n", printable_lines(TRY(parsed.expand(row))));
  } else {
    print_history(rows, quiet);
  }
  return 0;
}

}  // namespace berth::cli
