#include "store/local_name.h"

namespace berth::store {

bool names_registry(std::string_view word, const oci::Reference& reference) {
  return reference.registry() != oci::kDefaultRegistry || word.find("docker.io/") != std::string_view::npos;
}

Result<std::string> local_name(std::string_view word) {
  const oci::Reference reference = TRY(oci::Reference::parse(word));
  if (reference.digest()) {
    return fail(Code::usage, "\"{}\" has a digest in it, which is not for anybody to choose", word);
  }
  if (names_registry(word, reference)) return reference.full();
  const oci::Reference local = TRY(oci::Reference::parse(fmt::format("localhost/{}", word)));
  return local.full();
}

}  // namespace berth::store
