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

// Executes the calling program again, with the same arguments, from a mount of its file that is read-only and
// attached nowhere (or a sealed copy): a process of a container that it becomes can be executed again by
// /proc/PID/exe, and not be written. Returns where that has been done already. Before anything else: the
// caller's memory starts anew.
Result<> run_from_read_only(char** argv);

// The first execution may have left the descriptor of that mount open. It is moved out of the way of those
// that the caller hands on, and kept: closing it takes the mount apart, for which the kernel waits for all
// processors (0.2 to 0.7 ms), and that can be done while a new process is awaited anyway.
void keep_own_mount();
// Closes it, if there is one.
void let_own_mount_go();

// An anonymous file with the given content, at its beginning.
Result<UniqueFd> make_memory_file(const std::string& name, std::string_view content);

}  // namespace berth::sys
