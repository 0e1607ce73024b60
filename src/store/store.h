// The store: everything that lasts, below one root-owned 0700 directory.
//
//   berth.db              who and what (schema.h)
//   blobs/sha256/<hex>    compressed layers, exactly as they came
//   layers/<directory>/   one unpacked layer each, in identity mapping, whiteouts in overlayfs's form
//   translated/<dir>/     copies of images with their IDs shifted (translations.h)
//   identities/<key>/     passwd and group layers (engine/identity); identities.lock: one is looked for
//   ledger.json           banks that have names, and projects: a copy, for when berth.db is lost
//   containers/<id>/      upper/, work/, log, lock, exit, record.json (a copy of the record, likewise)
//   volumes/<name>/_data
//   cache/                what can be made again (compiled seccomp filters)
//   tmp/                  unfinished work; what no running process has locked is garbage
#pragma once

#include <string>

#include "base/error.h"
#include "store/database.h"
#include "sys/unique_fd.h"

namespace berth::store {

struct Locations {
  std::string root = "/var/lib/berth";  // --root
  std::string run_root = "/run/berth";  // --runroot: state that ends with the boot
};

// Whether a store is opened whose directories can be entered by others. Only for who looks at it and says so.
enum class Privacy { required, not_required };

class Store {
 public:
  // Opens the store and makes what is missing. Refuses a root that is not root's own or that others can
  // enter.
  //
  // A database that is gone from a store that holds something is not begun anew in silence: every container
  // would be taken for something left behind. The error says how to get a new one (kRebuildHint).
  static Result<Store> open(Locations locations, Privacy privacy = Privacy::required);

  // A store with a new, empty database that nobody else sees before finish_rebuild(). Code::conflict if the
  // present one is whole. The caller keeps others from making containers meanwhile.
  static Result<Store> begin_rebuild(Locations locations);
  // Puts the new database in its place, in one step, and closes it. Gives the path to which the damaged one
  // was moved; empty if there was none.
  static Result<std::string> finish_rebuild(Store store);

  Database& db() { return db_; }
  [[nodiscard]] const Locations& locations() const { return locations_; }
  // O_PATH descriptors of the two directories.
  [[nodiscard]] int root() const { return root_.get(); }
  [[nodiscard]] int run_root() const { return run_root_.get(); }

 private:
  Store(Locations locations, sys::UniqueFd root, sys::UniqueFd run_root, Database db)
      : locations_(std::move(locations)),
        root_(std::move(root)),
        run_root_(std::move(run_root)),
        db_(std::move(db)) {}
  Locations locations_;
  sys::UniqueFd root_;
  sys::UniqueFd run_root_;
  Database db_;
};

}  // namespace berth::store
