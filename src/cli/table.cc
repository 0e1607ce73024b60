#include "cli/table.h"

#include <algorithm>

#include "base/error.h"

namespace berth::cli {

std::string table(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::vector<std::string>> shown = rows;
  std::vector<size_t> widths;
  for (std::vector<std::string>& row : shown) {
    widths.resize(std::max(widths.size(), row.size()));
    for (size_t i = 0; i < row.size(); ++i) {
      row[i] = printable(row[i]);
      widths[i] = std::max(widths[i], row[i].size());
    }
  }
  std::string text;
  for (const std::vector<std::string>& row : shown) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i) line += fmt::format("{:<{}}  ", row[i], widths[i]);
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text;
}

std::vector<std::string> split_at_tabs(std::string_view line) {
  std::vector<std::string> columns;
  while (true) {
    const size_t tab = std::min(line.find('\t'), line.size());
    columns.emplace_back(line.substr(0, tab));
    if (tab == line.size()) return columns;
    line.remove_prefix(tab + 1);
  }
}

}  // namespace berth::cli
