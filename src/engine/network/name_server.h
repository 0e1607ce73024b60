// Names between containers: aardvark-dns (Debian's package of that name), one process for all networks of a
// store that have names. It reads a file for each of them in its directory, and them all again at a SIGHUP;
// it ends when there is none left. It answers at the networks' gateways, and asks the host's nameservers what
// it does not know.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "ledger/network_leases.h"
#include "ledger/networks.h"
#include "store/store.h"

namespace berth::engine {

// Where it is not installed: a whole sentence.
inline constexpr const char* kNoNameServer =
    "containers don't find one another by name, as aardvark-dns is not installed; `apt install aardvark-dns` "
    "installs "
    "it, and their addresses work without";

// Whether it is installed.
bool has_name_server();

// The file of one network. `entries` are its containers'; of an internal network nothing is asked elsewhere.
std::string name_server_file(const ledger::Network& network, const std::vector<ledger::NameEntry>& entries);

// Makes the files say what the ledger says, tells the server, and starts it if it is needed and not there,
// whether it has been killed or never ran. The bridges of the networks must be there. Costs a query where no
// network with names has a running container. Safe against other commands that do the same.
Result<> update_name_server(store::Store& store);

// The same after a container has ended, where nobody can be told of an error: it is logged.
void forget_names(store::Store& store);

}  // namespace berth::engine
