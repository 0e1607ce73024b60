#include "base/cpu_list.h"

#include "base/fields.h"

namespace berth {

namespace {

std::optional<CpuRange> parse_range(std::string_view text) {
  const bool is_range = text.find('-') != std::string_view::npos;
  const auto first = whole_number<uint32_t>(take_until(text, '-'));
  const auto last = is_range ? whole_number<uint32_t>(text) : first;
  if (!first || !last || *last < *first || *last > kLastCpu) return std::nullopt;
  return CpuRange{*first, *last};
}

}  // namespace

std::optional<CpuList> parse_cpu_list(std::string_view text) {
  CpuList list;
  bool more = !text.empty();
  while (more) {
    more = text.find(',') != std::string_view::npos;
    const std::optional<CpuRange> range = parse_range(take_until(text, ','));
    // Ranges may repeat, but a list longer than there are CPUs says nothing new.
    if (!range || list.size() > kLastCpu) return std::nullopt;
    list.push_back(*range);
  }
  return list;
}

}  // namespace berth
