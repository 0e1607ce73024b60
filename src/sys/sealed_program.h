// A program in memory that nobody can change, for executing.
#pragma once

#include <string>

#include "base/error.h"
#include "sys/unique_fd.h"

namespace berth::sys {

// A sealed memfd with a copy of the program at `path`: what runs from it can't reach the file on the host
// through /proc/PID/exe (CVE-2019-5736). Where vm.memfd_noexec=2 forbids executing memfds, the file itself,
// opened for reading.
Result<UniqueFd> open_sealed_program(const std::string& path);

// An anonymous file with the given content, at its beginning.
Result<UniqueFd> make_memory_file(const std::string& name, std::string_view content);

}  // namespace berth::sys
