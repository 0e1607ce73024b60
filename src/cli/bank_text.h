// How banks are shown to people and programs.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "ledger/bank_uses.h"
#include "ledger/banks.h"
#include "store/store.h"

namespace berth::cli {

// A bank with all that the ledger knows of it.
struct BankView {
  ledger::BankRecord record;
  std::string owner;   // what a person calls it: the container's name, the project's, the bank's
  std::string before;  // who had it before, likewise; a container that is gone by the name that it had
  std::vector<ledger::User> users;
};

Result<BankView> view_bank(store::Database& db, ledger::BankRecord record);

// "67633152-67698687": UIDs and GIDs alike.
std::string host_ids(Bank bank);

// The object that `bank ls --format json` and `bank inspect` print; also what templates have.
nlohmann::ordered_json bank_json(const BankView& view);

}  // namespace berth::cli
