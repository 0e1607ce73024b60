// Rows in columns, for people.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace berth::cli {

// Columns stand two spaces apart; the first row is the heading. Control characters are made visible.
std::string table(const std::vector<std::vector<std::string>>& rows);

// The columns of a line that a template with tabs made.
std::vector<std::string> split_at_tabs(std::string_view line);

}  // namespace berth::cli
