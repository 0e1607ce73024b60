// All files of a tree, as a sequence for an archive.
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "engine/files/own_places.h"
#include "transfer/tar_stream.h"

namespace berth::transfer {

struct TreeRequest {
  // An open directory; every path is looked up in it, and no link below it is followed.
  int root = -1;
  std::string start;  // what is archived, from the root on; "" is all of it
  std::string name;   // what that is called in the archive; "" puts what is in it at the top
  std::optional<idmap::Shift> shift{};
  const std::set<std::string>* left_out = nullptr;  // paths from the root on
  const engine::OwnPlaces* own = nullptr;           // files whose added lines are taken out
};

// Parents come before what is in them, names in order. What goes away meanwhile is left out.
class FileTree : public FileSequence {
 public:
  explicit FileTree(TreeRequest request);
  Result<std::optional<ArchivedFile>> next() override;

 private:
  [[nodiscard]] std::string archive_path(const std::string& path) const;
  Result<> open_parent(const std::string& parent);
  Result<> push_children(const std::string& path);

  TreeRequest request_;
  FileReader reader_;
  std::vector<std::string> todo_;  // the next one last
  std::string parent_path_;
  sys::UniqueFd parent_;
};

// Takes the lines that berth has added to passwd or group out of a file that is archived.
Result<> take_lines_out(ArchivedFile& file, const engine::AccountFile& account);

}  // namespace berth::transfer
