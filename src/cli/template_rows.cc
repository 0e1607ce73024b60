#include "cli/template_rows.h"

#include "cli/image_text.h"
#include "cli/table.h"
#include "cli/template.h"

namespace berth::cli {

using Json = nlohmann::ordered_json;

Result<> print_template(const Json& rows, std::string_view format, bool heading) {
  constexpr std::string_view kTable = "table ";
  const bool as_table = format.starts_with(kTable);
  const Template parsed = TRY(Template::parse(as_table ? format.substr(kTable.size()) : format));
  std::vector<std::vector<std::string>> lines;
  if (as_table && heading) lines.push_back(split_at_tabs(parsed.heading()));
  for (const Json& row : rows) {
    const std::string line = TRY(parsed.expand(row));
    if (as_table) {
      lines.push_back(split_at_tabs(line));
    } else {
      fmt::print("{}\n", printable_lines(line));
    }
  }
  if (as_table) fmt::print("{}", table(lines));
  return {};
}

}  // namespace berth::cli
