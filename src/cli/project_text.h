// How projects are shown to people and programs.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "ledger/projects.h"
#include "store/store.h"

namespace berth::cli {

// The annotations that OpenShift has for what a person says of a project, and for who made it.
inline constexpr const char* kDescription = "openshift.io/description";
inline constexpr const char* kDisplayName = "openshift.io/display-name";
inline constexpr const char* kRequester = "openshift.io/requester";

struct ProjectContainer {
  std::string name;
  std::string status;  // "running", or its state
};

// A project with all that the ledger and the store know of it.
struct ProjectView {
  ledger::Project project;
  std::map<std::string, std::string> labels;
  std::map<std::string, std::string> annotations;  // with those that follow from its number
  std::vector<Bank> banks;                         // in the order of its map
  std::vector<ProjectContainer> containers;        // by name
};

Result<ProjectView> view_project(const store::Store& store, store::Database& db, ledger::Project project);

// What a person said of it; empty where nothing was.
std::string annotation(const ProjectView& view, const char* key);

// The object that `project ls --format json` and `project describe --format json` print; also what templates
// have.
nlohmann::ordered_json project_json(const ProjectView& view);

// As `oc describe project` has it, and what berth knows beside.
std::string description(const ProjectView& view);

// A JSON object of strings, as the ledger keeps labels and annotations. Code::refused where one is no UTF-8.
Result<std::string> object_text(const std::map<std::string, std::string>& pairs);

}  // namespace berth::cli
