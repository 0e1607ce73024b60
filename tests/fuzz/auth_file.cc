// Credential files: no crash, and a login that is put in is found again.
#include "registry/auth_file.h"

#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  auto file = berth::registry::AuthFile::parse({reinterpret_cast<const char*>(data), size});
  if (!file) return 0;
  [[maybe_unused]] const auto before = file->find("localhost:5000", "team/app");
  [[maybe_unused]] const auto helper = file->helper_for("localhost:5000");
  file->set("localhost:5000", {"user", "pass:word", ""});
  const auto login = file->find("localhost:5000", "");
  if (!login || !*login || (*login)->password != "pass:word") std::abort();
  const auto text = file->emit();
  if (!text || !berth::registry::AuthFile::parse(*text)) std::abort();
  return 0;
}
