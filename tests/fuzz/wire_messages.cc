// A message between berth's own programs, the type by the input's first byte: what is accepted is written
// again as the same bytes, so that no two messages mean the same and nothing is left over.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "monitor/protocol.h"
#include "runtime/plan.h"
#include "runtime/protocol.h"

using namespace berth;

namespace {

template <typename T>
void check(std::string_view bytes) {
  const auto value = wire::decode<T>(bytes);
  if (value && wire::encode(*value) != bytes) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0]) {
    case 0:
      check<runtime::ContainerPlan>(bytes);
      break;
    case 1:
      check<runtime::StepMessage>(bytes);
      break;
    case 2:
      check<monitor::StartRequest>(bytes);
      break;
    case 3:
      if (const auto failure = wire::decode<runtime::Failure>(bytes)) {
        [[maybe_unused]] const std::string shown = render("berth", runtime::to_error(*failure));
      }
      check<runtime::Failure>(bytes);
      break;
    case 4:
      check<monitor::Started>(bytes);
      break;
    case 5:
      check<monitor::Exited>(bytes);
      break;
    case 6:
      check<monitor::PrepareRequest>(bytes);
      break;
    default:
      if (const auto kind = monitor::kind_of(bytes)) {
        if (monitor::pack(*kind, bytes.substr(1)) != bytes) std::abort();
      }
  }
  return 0;
}
