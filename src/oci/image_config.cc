#include "oci/image_config.h"

#include <nlohmann/json.hpp>

#include "oci/json.h"
#include "oci/manifest.h"

namespace berth::oci {

namespace {

constexpr size_t kMaxHistory = 10'000;

Result<std::optional<Healthcheck>> read_healthcheck(const JsonView& config) {
  const auto view = TRY(config.find("Healthcheck"));
  if (!view) return std::optional<Healthcheck>();
  Healthcheck check;
  check.test = TRY(view->strings_or_empty("Test"));
  check.interval = TRY(view->integer_or_zero("Interval"));
  check.timeout = TRY(view->integer_or_zero("Timeout"));
  check.start_period = TRY(view->integer_or_zero("StartPeriod"));
  check.retries = TRY(view->integer_or_zero("Retries"));
  return std::optional(std::move(check));
}

// The part that says how to run the image. ArgsEscaped, Hostname and the like are Windows's or Docker's own.
Result<> read_run_config(const JsonView& view, ImageConfig& out) {
  out.user = TRY(view.string_or_empty("User"));
  out.env = TRY(view.strings_or_empty("Env"));
  out.entrypoint = TRY(view.strings_or_empty("Entrypoint"));
  out.cmd = TRY(view.strings_or_empty("Cmd"));
  out.working_dir = TRY(view.string_or_empty("WorkingDir"));
  out.volumes = TRY(view.keys_or_empty("Volumes"));
  out.exposed_ports = TRY(view.keys_or_empty("ExposedPorts"));
  out.labels = TRY(view.string_map_or_empty("Labels"));
  out.stop_signal = TRY(view.string_or_empty("StopSignal"));
  out.shell = TRY(view.strings_or_empty("Shell"));
  out.on_build = TRY(view.strings_or_empty("OnBuild"));
  out.healthcheck = TRY(read_healthcheck(view));
  return {};
}

Result<std::vector<Digest>> read_diff_ids(const JsonView& document) {
  const JsonView rootfs = TRY(document.member("rootfs"));
  const JsonView type = TRY(rootfs.member("type"));
  if (TRY(type.string()) != "layers") return type.refuse("it is not \"layers\"");
  std::vector<Digest> out;
  const auto list = TRY(rootfs.find("diff_ids"));
  if (!list) return out;
  const std::vector<JsonView> elements = TRY(list->elements());
  if (elements.size() > kMaxLayers) {
    return list->refuse(fmt::format("{} layers, and at most {} can be stacked", elements.size(), kMaxLayers));
  }
  for (const JsonView& element : elements) {
    const std::string text = TRY(element.string());
    Result<Digest> digest = Digest::parse(text);
    if (!digest) return element.refuse(digest.error().message);
    out.push_back(std::move(*digest));
  }
  return out;
}

Result<std::vector<HistoryEntry>> read_history(const JsonView& document) {
  std::vector<HistoryEntry> out;
  const auto list = TRY(document.find("history"));
  if (!list) return out;
  const std::vector<JsonView> elements = TRY(list->elements());
  if (elements.size() > kMaxHistory) {
    return list->refuse(fmt::format("{} entries, and at most {} are read", elements.size(), kMaxHistory));
  }
  for (const JsonView& entry : elements) {
    HistoryEntry step;
    step.created = TRY(entry.string_or_empty("created"));
    step.created_by = TRY(entry.string_or_empty("created_by"));
    step.author = TRY(entry.string_or_empty("author"));
    step.comment = TRY(entry.string_or_empty("comment"));
    step.empty_layer = TRY(entry.boolean_or_false("empty_layer"));
    out.push_back(std::move(step));
  }
  return out;
}

nlohmann::json set_of(const std::vector<std::string>& names) {
  nlohmann::json out = nlohmann::json::object();
  for (const std::string& name : names) out[name] = nlohmann::json::object();
  return out;
}

template <typename Value>
void put(nlohmann::json& object, const char* key, const Value& value) {
  if (!value.empty()) object[key] = value;
}

nlohmann::json to_json(const Healthcheck& check) {
  nlohmann::json out = nlohmann::json::object();
  put(out, "Test", check.test);
  if (check.interval != 0) out["Interval"] = check.interval;
  if (check.timeout != 0) out["Timeout"] = check.timeout;
  if (check.start_period != 0) out["StartPeriod"] = check.start_period;
  if (check.retries != 0) out["Retries"] = check.retries;
  return out;
}

nlohmann::json run_config(const ImageConfig& config) {
  nlohmann::json out = nlohmann::json::object();
  put(out, "User", config.user);
  put(out, "Env", config.env);
  put(out, "Entrypoint", config.entrypoint);
  put(out, "Cmd", config.cmd);
  put(out, "WorkingDir", config.working_dir);
  if (!config.volumes.empty()) out["Volumes"] = set_of(config.volumes);
  if (!config.exposed_ports.empty()) out["ExposedPorts"] = set_of(config.exposed_ports);
  put(out, "Labels", config.labels);
  put(out, "StopSignal", config.stop_signal);
  put(out, "Shell", config.shell);
  put(out, "OnBuild", config.on_build);
  if (config.healthcheck) out["Healthcheck"] = to_json(*config.healthcheck);
  return out;
}

nlohmann::json to_json(const HistoryEntry& entry) {
  nlohmann::json out = nlohmann::json::object();
  put(out, "created", entry.created);
  put(out, "created_by", entry.created_by);
  put(out, "author", entry.author);
  put(out, "comment", entry.comment);
  if (entry.empty_layer) out["empty_layer"] = true;
  return out;
}

}  // namespace

Result<ImageConfig> parse_image_config(std::string_view bytes) {
  const nlohmann::json json = TRY_CONTEXT(parse_json(bytes, kMaxConfigBytes), "the image's config");
  const JsonView view(json, "the image's config");
  ImageConfig out;
  Platform platform;
  platform.os = TRY(view.string_or_empty("os"));
  platform.architecture = TRY(view.string_or_empty("architecture"));
  platform.variant = TRY(view.string_or_empty("variant"));
  out.platform = normalized(std::move(platform));
  out.created = TRY(view.string_or_empty("created"));
  out.author = TRY(view.string_or_empty("author"));
  if (const auto config = TRY(view.find("config"))) TRY(read_run_config(*config, out));
  out.diff_ids = TRY(read_diff_ids(view));
  out.history = TRY(read_history(view));
  return out;
}

Result<std::string> emit_image_config(const ImageConfig& config) {
  nlohmann::json diff_ids = nlohmann::json::array();
  for (const Digest& digest : config.diff_ids) diff_ids.push_back(digest.str());
  nlohmann::json out{{"architecture", config.platform.architecture},
                     {"os", config.platform.os},
                     {"config", run_config(config)},
                     {"rootfs", {{"type", "layers"}, {"diff_ids", diff_ids}}}};
  put(out, "variant", config.platform.variant);
  put(out, "created", config.created);
  put(out, "author", config.author);
  if (!config.history.empty()) {
    out["history"] = nlohmann::json::array();
    for (const HistoryEntry& entry : config.history) out["history"].push_back(to_json(entry));
  }
  return emit_json(out);
}

}  // namespace berth::oci
