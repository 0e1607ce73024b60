// `berth volume ls` and `berth volume inspect`.
#include "cli/flags.h"
#include "cli/json_text.h"
#include "cli/print_list.h"
#include "cli/recovered_store.h"
#include "cli/table.h"
#include "cli/template_rows.h"
#include "cli/times.h"
#include "cli/volume_filters.h"
#include "cli/volumes.h"

namespace berth::cli {

namespace {

using Json = nlohmann::ordered_json;

// podman's fields, and then berth's own.
Json describe(const store::Store& store, const engine::Volume& volume) {
  return Json{{"Name", volume.name},
              {"Driver", "local"},
              {"Mountpoint", volume.mount_point(store)},
              {"CreatedAt", rfc3339(std::chrono::seconds(volume.created_at))},
              {"Labels", volume.labels.empty() ? Json::object() : Json(volume.labels)},
              {"Scope", "local"},
              {"Options", Json::object()},
              {"MountCount", volume.containers.size()},
              {"NeedsCopyUp", !volume.populated},
              {"Anonymous", volume.anonymous},
              {"Containers", volume.containers}};
}

void print_table(const std::vector<engine::Volume>& volumes, bool heading) {
  if (volumes.empty()) return;  // as podman has it, no volumes are no output
  std::vector<std::vector<std::string>> lines;
  if (heading) lines.push_back({"DRIVER", "VOLUME NAME"});
  for (const engine::Volume& volume : volumes) lines.push_back({"local", volume.name});
  fmt::print("{}", table(lines));
}

Json json_rows(const store::Store& store, const std::vector<engine::Volume>& volumes) {
  Json rows = Json::array();
  for (const engine::Volume& volume : volumes) rows.push_back(describe(store, volume));
  return rows;
}

}  // namespace

Result<int> list_volumes(const Invocation& invocation) {
  std::vector<std::string> filters;
  std::string format;
  bool no_heading = false;
  bool quiet = false;
  Flags line(invocation, "[flags]", "Lists the volumes.",
             "  berth volume ls\n  berth volume ls --filter dangling=true -q\n");
  line.list("-f,--filter", filters, "name=, label=, label!=, dangling=, driver= or until=");
  line.value("--format", format, "json, or a template: \"{{.Name}}: {{.Mountpoint}}\"");
  line.flag("-n,--noheading", no_heading, "Print no heading");
  line.flag("-q,--quiet", quiet, "Print only names");
  if (!TRY(line.parse())) return 0;
  store::Store store = TRY(open_recovered_store(invocation));
  std::vector<engine::Volume> all = TRY(engine::list_volumes(store));
  const std::vector<engine::Volume> volumes = TRY(filtered(std::move(all), filters));
  const auto names = [&] {
    for (const engine::Volume& volume : volumes) fmt::print("{}\n", volume.name);
  };
  TRY(print_list({quiet, format, !no_heading}, {names, [&] { return json_rows(store, volumes); },
                                                [&] { print_table(volumes, !no_heading); }}));
  return 0;
}

Result<int> inspect_volumes(const Invocation& invocation) {
  bool all = false;
  std::string format;
  std::vector<std::string> names;
  Flags line(
      invocation, "[flags] VOLUME [VOLUME...]",
      "Prints all that is known of volumes, as a JSON array. A beginning that only one volume has will do "
      "for its name.",
      "  berth volume inspect data\n  berth volume inspect --format {{.Mountpoint}} data\n");
  line.flag("-a,--all", all, "All volumes");
  line.value("-f,--format", format, "json, or a template");
  line.words("volumes", names, Need::optional);
  if (!TRY(line.parse())) return 0;
  if (names.empty() != all)
    return fail(Code::usage, "berth {}: name volumes or give --all, one of the two", invocation.name);
  store::Store store = TRY(open_recovered_store(invocation));
  std::vector<engine::Volume> volumes;
  std::optional<Error> missing;
  if (all) volumes = TRY(engine::list_volumes(store));
  for (const std::string& name : names) {
    const auto look = [&]() -> Result<engine::Volume> {
      return engine::find_volume(store, TRY(engine::volume_called(store, name)));
    };
    Result<engine::Volume> volume = look();
    if (volume) {
      volumes.push_back(std::move(*volume));
    } else if (!missing) {
      missing = std::move(volume.error());
    }
  }
  if (!format.empty() && format != "json") {
    TRY(print_template(json_rows(store, volumes), format, true));
  } else {
    print_json(json_rows(store, volumes));
  }
  // The others are shown all the same.
  if (missing) return std::unexpected(std::move(*missing));
  return 0;
}

}  // namespace berth::cli
