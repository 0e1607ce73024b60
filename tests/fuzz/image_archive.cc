// The index of an archive of images: which files it has, where, and where its links lead.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include <sys/mman.h>
#include <unistd.h>

#include "sys/unique_fd.h"
#include "transfer/image_files.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  berth::sys::UniqueFd file(::memfd_create("archive", MFD_CLOEXEC));
  if (!file || ::write(file.get(), data, size) != static_cast<ssize_t>(size)) std::abort();
  const auto files = berth::transfer::ArchiveFiles::index(std::move(file));
  if (!files) return 0;
  for (const char* name : {"manifest.json", "index.json", "a/layer.tar", "../outside", ""}) {
    const auto text = (*files)->read(name, 4096);
    if (text && (text->size() > size || !(*files)->has(name))) std::abort();
  }
  return 0;
}
