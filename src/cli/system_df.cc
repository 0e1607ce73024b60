// `berth system df`: what takes how much room.
#include <cmath>

#include "base/clock.h"
#include "cli/flags.h"
#include "cli/image_text.h"
#include "cli/json_text.h"
#include "cli/recovered_store.h"
#include "cli/system.h"
#include "cli/table.h"
#include "cli/template_rows.h"
#include "cli/times.h"
#include "engine/disk_use.h"

namespace berth::cli {

namespace {

using Json = nlohmann::ordered_json;
using Lines = std::vector<std::vector<std::string>>;

// A walk that was given up has found so much, and there is more.
std::string shown_size(int64_t bytes, bool whole) {
  return human_size(bytes) + (whole ? "" : "+");
}

std::string shown_reclaimable(const engine::UseTotal& total) {
  const double part =
      total.bytes == 0 ? 0 : static_cast<double>(total.reclaimable) / static_cast<double>(total.bytes);
  constexpr double kPercent = 100;
  return fmt::format("{} ({:.0f}%)", human_size(total.reclaimable), std::floor(part * kPercent));
}

// podman's fields.
Json summary(const char* type, size_t count, const engine::UseTotal& total) {
  return Json{{"Type", type},
              {"Total", count},
              {"Active", total.active},
              {"RawSize", total.bytes},
              {"RawReclaimable", total.reclaimable},
              {"TotalCount", count},
              {"Size", shown_size(total.bytes, total.whole)},
              {"Reclaimable", shown_reclaimable(total)}};
}

Json summaries(const engine::DiskUse& use) {
  Json rows = Json::array();
  rows.push_back(summary("Images", use.images.size(), use.all_images));
  rows.push_back(summary("Containers", use.containers.size(), use.all_containers));
  rows.push_back(summary("Local Volumes", use.volumes.size(), use.all_volumes));
  rows.push_back(summary("Image Copies", use.copies.size(), use.all_copies));
  return rows;
}

void print_summaries(const Json& rows) {
  Lines lines{{"TYPE", "TOTAL", "ACTIVE", "SIZE", "RECLAIMABLE"}};
  for (const Json& row : rows)
    lines.push_back({row["Type"].get<std::string>(), row["Total"].dump(), row["Active"].dump(),
                     row["Size"].get<std::string>(), row["Reclaimable"].get<std::string>()});
  fmt::print("{}", table(lines));
}

std::string ago(std::chrono::nanoseconds moment) {
  return time_since(moment) + " ago";
}

Lines image_lines(const engine::DiskUse& use) {
  Lines lines{
      {"REPOSITORY", "TAG", "IMAGE ID", "CREATED", "SIZE", "SHARED SIZE", "UNIQUE SIZE", "CONTAINERS"}};
  for (const engine::ImageUse& one : use.images) {
    const NameParts name =
        one.image.names.empty() ? NameParts{"<none>", "<none>"} : split_name(one.image.names.front());
    lines.push_back({name.repository, name.tag, short_id(one.image.id),
                     ago(std::chrono::seconds(one.image.pulled_at)), human_size(one.shared + one.unique),
                     human_size(one.shared), human_size(one.unique), std::to_string(one.containers)});
  }
  return lines;
}

Lines container_lines(const engine::DiskUse& use) {
  constexpr size_t kShortId = 12;
  Lines lines{{"CONTAINER ID", "IMAGE", "LOCAL VOLUMES", "SIZE", "CREATED", "STATUS", "NAMES"}};
  for (const engine::ContainerUse& one : use.containers)
    lines.push_back({one.record.id.substr(0, kShortId), one.record.image_name, std::to_string(one.volumes),
                     shown_size(one.bytes, one.whole), ago(std::chrono::nanoseconds(one.record.created_at)),
                     one.running ? "running" : one.record.state, one.record.name});
  return lines;
}

Lines volume_lines(const engine::DiskUse& use) {
  Lines lines{{"VOLUME NAME", "LINKS", "SIZE"}};
  for (const engine::VolumeUse& one : use.volumes)
    lines.push_back(
        {one.volume.name, std::to_string(one.volume.containers.size()), shown_size(one.bytes, one.whole)});
  return lines;
}

Lines copy_lines(const engine::DiskUse& use) {
  Lines lines{{"IMAGE ID", "NEEDED", "SIZE", "CREATED"}};
  for (const engine::CopyUse& one : use.copies)
    lines.push_back({short_id(one.copy.image_id), one.needed ? "yes" : "no", human_size(one.copy.size),
                     ago(std::chrono::seconds(one.copy.created_at))});
  return lines;
}

void print_details(const engine::DiskUse& use) {
  fmt::print("Images space usage:\n\n{}", table(image_lines(use)));
  fmt::print("\nContainers space usage:\n\n{}", table(container_lines(use)));
  fmt::print("\nLocal Volumes space usage:\n\n{}", table(volume_lines(use)));
  fmt::print("\nImage Copies space usage:\n\n{}", table(copy_lines(use)));
}

}  // namespace

Result<int> system_df(const Invocation& invocation) {
  bool verbose = false;
  std::string format;
  Flags line(
      invocation, "[flags]",
      "Says what of the store takes how much room, and how much of that nothing needs. Images count with "
      "their\ncompressed layers. A + stands for more than was looked through.",
      "  berth system df\n  berth system df -v\n  berth system df --format '{{.Type}} {{.Size}}'\n");
  line.flag("-v,--verbose", verbose, "Each image, container, volume and copy");
  line.value("--format", format, "json, or a template");
  if (!TRY(line.parse())) return 0;
  if (verbose && !format.empty()) return fail(Code::usage, "--verbose and --format do not go together");
  store::Store store = TRY(open_recovered_store(invocation));
  const engine::DiskUse use = TRY(engine::disk_use(store));
  if (verbose) {
    print_details(use);
  } else if (format == "json") {
    print_json(summaries(use));
  } else if (!format.empty()) {
    TRY(print_template(summaries(use), format, true));
  } else {
    print_summaries(summaries(use));
  }
  return 0;
}

}  // namespace berth::cli
