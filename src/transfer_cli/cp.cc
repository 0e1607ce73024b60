#include "transfer_cli/cp.h"

#include <unistd.h>

#include "cli/flags.h"
#include "cli/recovered_store.h"
#include "transfer/copy.h"

namespace berth::transfer_cli {

namespace {

Result<> check(const transfer::CopyRequest& request) {
  for (const transfer::CopyEnd* end : {&request.from, &request.to})
    if (end->path.empty()) return fail(Code::usage, "cannot copy: a path is missing");
  if (request.from.container.empty() && request.to.container.empty()) {
    Error error = fail(Code::usage, "cannot copy: neither {} nor {} is in a container", request.from.path,
                       request.to.path)
                      .error();
    return std::unexpected(std::move(error).with_hint("A container's file is CONTAINER:PATH."));
  }
  if (request.from.container.empty() && request.from.path == "-" && ::isatty(STDIN_FILENO) == 1)
    return fail(Code::usage, "cannot copy: standard input is a terminal");
  if (request.to.container.empty() && request.to.path == "-" && ::isatty(STDOUT_FILENO) == 1)
    return fail(Code::usage, "cannot copy: standard output is a terminal");
  return {};
}

}  // namespace

Result<int> cp(const cli::Invocation& invocation) {
  transfer::CopyRequest request;
  std::string from;
  std::string to;
  bool quiet = false;
  cli::Flags line(
      invocation, "[flags] [CONTAINER:]SRC_PATH [CONTAINER:]DEST_PATH",
      "Copies files and directories between the host and containers, running or not, or between containers.\n"
      "A directory whose path ends with /. stands for what is in it. - is a tar on standard input or output. "
      "A "
      "path of the\nhost's that has a colon in it begins with / or ./.",
      "  berth cp site.conf web:/etc/\n  berth cp web:/var/log/. logs\n  berth cp web:/data - | tar -t\n");
  line.flag("-a,--archive", request.archive, "Keep the IDs of owner and group");
  line.flag("-L,--follow-link", request.follow, "Copy what SRC_PATH leads to if it is a link");
  line.flag("--overwrite", request.overwrite,
            "A directory may take the place of a file, and a file that of a directory");
  line.flag("-q,--quiet", quiet, "Accepted for scripts: nothing is printed anyway");
  line.word("from", from, cli::Need::required);
  line.word("to", to, cli::Need::required);
  if (!TRY(line.parse())) return 0;
  request.from = transfer::parse_copy_end(from);
  request.to = transfer::parse_copy_end(to);
  TRY(check(request));
  store::Store store = TRY(cli::open_recovered_store(invocation));
  TRY_CONTEXT(transfer::copy_files(store, request), "cannot copy {} to {}", from, to);
  return 0;
}

}  // namespace berth::transfer_cli
