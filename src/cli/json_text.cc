#include "cli/json_text.h"

#include "base/error.h"

namespace berth::cli {

void print_json(const nlohmann::ordered_json& document) {
  fmt::print("{}\n", document.dump(4, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
}

}  // namespace berth::cli
