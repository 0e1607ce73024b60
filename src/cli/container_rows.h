// The lines of `berth ps`: what of a container goes into its table, its templates and its JSON.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "cli/container_view.h"

namespace berth::cli {

inline constexpr size_t kShortContainerId = 12;

struct Column {
  const char* heading;
  const char* field;  // of template_fields()
};

struct ContainerRow {
  ContainerView view;
  std::vector<Bank> banks;                        // its own, then those that it shares with others
  std::optional<int64_t> size;                    // bytes that its own layer has on disk
  std::map<std::string, std::string> namespaces;  // "net" and the inode's number
};

struct RowOptions {
  bool sizes = false;  // looks at every file of every container's own layer
  bool namespaces = false;
};
// Finds what is not in the views.
Result<> complete_rows(store::Store& store, std::vector<ContainerRow>& rows, const RowOptions& options);

// "command", "created", "id", "image", "names", "runningfor", "size", "status".
void sort_rows(std::vector<ContainerRow>& rows, std::string_view by);

// podman's fields for templates, texts for people; `cut` shortens IDs and commands.
nlohmann::ordered_json template_fields(const ContainerRow& row, bool cut);
// One of them: a template may name it, and it is made only if it is asked for.
struct TemplateField {
  std::string_view name;
  nlohmann::ordered_json (*value)(const ContainerRow& row, bool cut);
};
// nullptr if there is none of this name.
const TemplateField* find_template_field(std::string_view name);

// podman's `ps --format json`, and Banks and Project.
nlohmann::ordered_json json_fields(const ContainerRow& row);

}  // namespace berth::cli
