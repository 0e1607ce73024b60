#include "cli/print_list.h"

#include "cli/json_text.h"
#include "cli/template_rows.h"

namespace berth::cli {

Result<> print_list(const ListForm& form, const ListOutput& output) {
  if (form.quiet) {
    output.names();
  } else if (form.format.empty() || form.format == "table") {
    output.table();
  } else if (form.format == "json") {
    print_json(TRY(output.rows()));
  } else {
    return print_template(TRY(output.rows()), form.format, form.heading);
  }
  return {};
}

}  // namespace berth::cli
