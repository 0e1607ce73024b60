#include "cli/harmless_program.h"

#include "runtime/inherited.h"
#include "sys/companion.h"
#include "sys/sealed_program.h"

namespace berth::cli {

Result<> settle_descriptors(const Invocation& invocation) {
  sys::keep_own_mount();
  sys::name_own_program(invocation.globals.original.front());
  return runtime::settle_inherited();
}

Result<> leave_writable_program(const Invocation& invocation, const engine::PreparedExec& prepared) {
  if (!prepared.plan.last_born) return {};
  std::vector<std::string> words = invocation.globals.original;
  words.front() = TRY(sys::own_program_path());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  return sys::run_from_read_only(argv.data());
}

}  // namespace berth::cli
