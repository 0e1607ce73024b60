// `berth images`.
#include <algorithm>

#include <time.h>

#include "cli/flags.h"
#include "cli/image_text.h"
#include "cli/images.h"
#include "cli/print_list.h"
#include "cli/table.h"
#include "cli/times.h"
#include "cli/translation_text.h"
#include "oci/image_config.h"
#include "store/images.h"
#include "store/local_name.h"

namespace berth::cli {

namespace {

using Json = nlohmann::ordered_json;

struct ListFlags {
  bool all = false;
  bool quiet = false;
  bool no_trunc = false;
  bool digests = false;
  bool no_heading = false;
  bool translated = false;
  std::string format;
  std::vector<std::string> filters;
  std::string name;
};

// One image under one name, or under none.
struct Row {
  const store::ImageSummary* image;
  std::string name;
};

Result<std::vector<Row>> rows_of(const std::vector<store::ImageSummary>& images, const ListFlags& flags) {
  std::optional<bool> dangling;
  std::vector<std::string> references;
  if (!flags.name.empty()) references.push_back(flags.name);
  for (const std::string& filter : flags.filters) {
    const size_t equals = filter.find('=');
    const std::string key = filter.substr(0, equals);
    const std::string value = equals == std::string::npos ? "" : filter.substr(equals + 1);
    if (key == "dangling" && (value == "true" || value == "false")) {
      dangling = value == "true";
    } else if (key == "reference" && !value.empty()) {
      references.push_back(value);
    } else {
      return fail(Code::usage, "--filter {}: it is dangling=true, dangling=false or reference=NAME", filter);
    }
  }
  std::vector<Row> rows;
  for (const store::ImageSummary& image : images) {
    if (dangling && *dangling != image.names.empty()) continue;
    if (image.names.empty() && references.empty()) rows.push_back({&image, ""});
    for (const std::string& name : image.names) {
      const bool wanted = std::all_of(references.begin(), references.end(), [&](const std::string& pattern) {
        return name_matches(name, pattern);
      });
      if (wanted) rows.push_back({&image, name});
    }
  }
  return rows;
}

struct Described {
  int64_t created = 0;
  std::map<std::string, std::string> labels;
};

// An image whose configuration says nothing of its making is as old as its coming.
Described describe_config(const store::ImageSummary& image) {
  Described described{image.pulled_at, {}};
  Result<oci::ImageConfig> config = oci::parse_image_config(image.config);
  if (!config) return described;
  if (const auto created = parse_rfc3339(config->created)) described.created = *created;
  described.labels = std::move(config->labels);
  return described;
}

Json fields_of(const Row& row, const ListFlags& flags, int64_t now) {
  const store::ImageSummary& image = *row.image;
  const Described config = describe_config(image);
  const NameParts name = row.name.empty() ? NameParts{"<none>", "<none>"} : split_name(row.name);
  const std::string age = time_span(std::chrono::seconds(now - config.created)) + " ago";
  const std::string created = rfc3339(std::chrono::seconds(config.created));
  const std::string id = flags.no_trunc ? image.id : short_id(image.id);
  return Json{{"ID", id},
              {"Id", id},
              {"Repository", name.repository},
              {"Tag", name.tag},
              {"Digest", image.manifest_digest},
              {"Size", human_size(image.size)},
              {"Created", age},
              {"CreatedSince", age},
              {"CreatedAt", created},
              {"CreatedTime", created},
              {"Names", image.names},
              {"Labels", config.labels}};
}

Result<Json> image_rows(store::Store& store, const std::vector<Row>& rows) {
  Json list = Json::array();
  const store::ImageSummary* before = nullptr;
  for (const Row& row : rows) {
    // One object an image, however many names it has.
    const store::ImageSummary& image = *row.image;
    if (before == &image) continue;
    before = &image;
    const Described config = describe_config(image);
    const auto containers = TRY(store::containers_of_image(store, image.id));
    list.push_back({{"Id", hex_of(image.id)},
                    {"ParentId", ""},
                    {"RepoTags", image.names},
                    {"RepoDigests", repository_digests(image.names, image.manifest_digest)},
                    {"Size", image.size},
                    {"VirtualSize", image.size},
                    {"Labels", config.labels},
                    {"Containers", containers.size()},
                    {"Names", image.names},
                    {"Digest", image.manifest_digest},
                    {"Created", config.created},
                    {"CreatedAt", rfc3339(std::chrono::seconds(config.created))},
                    {"Dangling", image.names.empty()}});
  }
  return list;
}

void print_quiet(const std::vector<Row>& rows, bool no_trunc) {
  const store::ImageSummary* before = nullptr;
  for (const Row& row : rows) {
    if (row.image != before) fmt::print("{}\n", no_trunc ? row.image->id : short_id(row.image->id));
    before = row.image;
  }
}

Json json_rows(const std::vector<Row>& rows, const ListFlags& flags) {
  const int64_t now = ::time(nullptr);
  Json list = Json::array();
  for (const Row& row : rows) list.push_back(fields_of(row, flags, now));
  return list;
}

void print_table(const std::vector<Row>& rows, const ListFlags& flags) {
  std::vector<std::vector<std::string>> lines;
  if (!flags.no_heading) {
    lines.push_back({"REPOSITORY", "TAG", "IMAGE ID", "CREATED", "SIZE"});
    if (flags.digests) lines.back().insert(lines.back().begin() + 2, "DIGEST");
  }
  const int64_t now = ::time(nullptr);
  for (const Row& row : rows) {
    const Json fields = fields_of(row, flags, now);
    std::vector<std::string> line;
    for (const char* field : {"Repository", "Tag", "Digest", "ID", "Created", "Size"}) {
      if (std::string_view(field) != "Digest" || flags.digests)
        line.push_back(fields[field].get<std::string>());
    }
    lines.push_back(std::move(line));
  }
  fmt::print("{}", table(lines));
}

}  // namespace

Result<int> list_images(const Invocation& invocation) {
  ListFlags flags;
  Flags line(invocation, "[flags] [NAME]", "Lists the images in the store, the newest first.",
             "  berth images\n  berth images --filter dangling=true -q\n");
  line.flag("-a,--all", flags.all, "All images (there are no hidden ones)");
  line.flag("-q,--quiet", flags.quiet, "Print only IDs");
  line.flag("--no-trunc", flags.no_trunc, "Print whole IDs");
  line.flag("--digests", flags.digests, "Print the digests of the manifests too");
  line.flag("-n,--noheading", flags.no_heading, "Print no heading");
  line.flag("--translated", flags.translated, "List the copies of images for other IDs, and what they cost");
  line.value("--format", flags.format, "json, or a template: \"{{.Repository}}:{{.Tag}}\"");
  line.list("-f,--filter", flags.filters, "reference=NAME or dangling=true|false");
  line.word("name", flags.name, Need::optional);
  if (!TRY(line.parse())) return 0;
  store::Store store = TRY(open_store(invocation));
  if (flags.translated) {
    if (!flags.format.empty() && flags.format != "json" && flags.format != "table")
      return fail(Code::usage, "--translated goes with --format json only");
    if (flags.quiet || !flags.filters.empty())
      return fail(Code::usage, "--translated does not go with --quiet and --filter");
    return list_translations(
        store, {.name = flags.name, .json = flags.format == "json", .heading = !flags.no_heading});
  }
  const std::vector<store::ImageSummary> images = TRY(store::list_images(store));
  const std::vector<Row> rows = TRY(rows_of(images, flags));
  const auto documents = [&]() -> Result<Json> {
    if (flags.format == "json") return image_rows(store, rows);
    return json_rows(rows, flags);
  };
  TRY(print_list({flags.quiet, flags.format, !flags.no_heading},
                 {[&] { print_quiet(rows, flags.no_trunc); }, documents, [&] { print_table(rows, flags); }}));
  return 0;
}

}  // namespace berth::cli
