#include "engine/create.h"

#include <array>
#include <cerrno>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fault.h"
#include "engine/container/announce.h"
#include "engine/container/names.h"
#include "engine/container/status.h"
#include "engine/identity/host_users.h"
#include "engine/identity/identity.h"
#include "engine/identity/users.h"
#include "engine/ids/id_decision.h"
#include "engine/ids/project_rules.h"
#include "engine/ids/settle_spaces.h"
#include "engine/network/settle_network.h"
#include "engine/plan_container.h"
#include "engine/recovery/store_copy.h"
#include "engine/translation/translate.h"
#include "engine/volumes/open_directories.h"
#include "engine/volumes/volumes.h"
#include "engine/volumes/volumes_from.h"
#include "monitor/protocol.h"
#include "oci/image_config.h"
#include "sys/random.h"

namespace berth::engine {

namespace {

// The upper directory is what the merged root looks like from above, so it takes after the image's own root.
Result<> make_upper(int directory, const store::ImageRecord& image) {
  TRY(sys::ensure_dir_at(directory, "upper", 0755));
  TRY(sys::ensure_dir_at(directory, "work", 0700));
  const store::RootAttributes& root = image.root;
  if ((root.uid != 0 || root.gid != 0) &&
      ::fchownat(directory, "upper", root.uid, root.gid, AT_SYMLINK_NOFOLLOW) != 0) {
    return fail_errno(errno, "give the container's root directory its owner");
  }
  if (::fchmodat(directory, "upper", root.mode, 0) != 0) {
    return fail_errno(errno, "give the container's root directory its mode");
  }
  return {};
}

// `berth rmi` looks for containers in its own transaction, so one of the two sees the other.
Result<> check_image(store::Store& store, const std::string& image_id) {
  store::Statement image = TRY(store.db().prepare("SELECT 1 FROM images WHERE id = ?"));
  if (TRY(image.bind(1, image_id).step())) return {};
  return fail(Code::not_found, "the image {} has just been removed", image_id);
}

// The container's root directory, and nearly all of an image, is owned by 0:0. Where a map has not got them
// nobody inside could own those files, and overlayfs could not be made.
Result<> check_root_is_mapped(const IdDecision& ids) {
  const bool users = !ids.users || ids.users->to_host(ContainerUid(0));
  const bool groups = !ids.groups || ids.groups->to_host(ContainerGid(0));
  if (users && groups) return {};
  const idmap::IdMap& map = users ? *ids.groups : *ids.users;
  Error error{Code::usage,
              0,
              fmt::format("{} 0 is not in the map ({}), and the image's files belong to it",
                          users ? "GID" : "UID", map.describe()),
              {}};
  return std::unexpected(
      std::move(error).with_hint("Map it as well: --uidmap ::1 gives it an ID of the own bank."));
}

// Before anything runs: whether the user that the container is to run as is in its map.
Result<> check_user(const ContainerSpec& spec, const store::ImageRecord& image, const IdDecision& ids) {
  TRY(check_root_is_mapped(ids));
  const oci::ImageConfig config = TRY(oci::parse_image_config(image.config));
  const AccountFiles files{image.passwd, image.group};
  const std::string& working_directory = working_directory_of(spec, config);
  const Accounts accounts = TRY(accounts_of(spec, files, working_directory));
  const ResolvedUser user =
      TRY(user_of(spec, config.user, accounts.files(), ids.users ? *ids.users : idmap::IdMap::whole(),
                  ids.groups ? *ids.groups : idmap::IdMap::whole()));
  if (spec.passwd_entry.empty() && spec.group_entry.empty() && spec.host_users.empty()) return {};
  // Where the home is goes by the image's directories, and is found out at the start.
  constexpr std::string_view kSomeHome = "/tmp";
  TRY(added_lines({image.id, files, user, working_directory, accounts.wanted_by(user)}, kSomeHome));
  return {};
}

// `directory` is the container's.
Result<> insert_with_ids(store::Store& store, store::ContainerRecord& record, CreateRequest& request,
                         const MadeVolumes& volumes, int directory) {
  constexpr int kAttempts = 20;
  store::Transaction transaction = TRY(store::Transaction::begin(store.db()));
  const bool new_number = brings_a_number(store.db(), request.spec);
  const IdDecision ids =
      TRY(decide_ids(store.db(), record.id, {request.spec, request.config, caller_from_environment()}));
  TRY(check_user(request.spec, request.image, ids));
  TRY(check_open_directories(request.spec, ids.users, request.config));
  if (request.spec.translate) TRY(shift_upper(directory, request.image, ids));
  if (ids.users) record.uid_map = ids.users->text();
  if (ids.groups) record.gid_map = ids.groups->text();
  TRY(settle_joined_network(store, record, request.spec));
  TRY(settle_spaces(store, record, request.spec));
  const bool made_network = TRY(
      record_networks(store, request.config, record.id, request.image, request.starts_at_once, request.spec));
  record.spec = TRY(to_json(request.spec));
  const bool name_is_made_up = request.name.empty();
  for (int attempt = 0;; ++attempt) {
    if (name_is_made_up) record.name = TRY(made_up_name());
    const Result<> inserted = store::insert_container(store.db(), record);
    if (inserted) break;
    if (!name_is_made_up || inserted.error().code != Code::conflict || attempt == kAttempts) return inserted;
  }
  TRY(check_image(store, record.image_id));
  TRY(check_volumes_from(store, request.spec, record));
  const std::vector<std::string> added = TRY(record_volumes(store, record.id, request.spec, volumes));
  if (new_number || made_network) TRY(write_store_copy(store));
  fault::point("before-create-commit");
  TRY(transaction.commit());
  for (const std::string& volume : added) announce_volume(store, events::kCreate, volume);
  return {};
}

}  // namespace

Result<std::string> new_container_id() {
  constexpr size_t kBytes = 32;
  return sys::random_hex(kBytes);
}

Result<LockedContainer> create_container(store::Store& store, CreateRequest request) {
  store::ContainerRecord record{
      .id = request.id,
      .name = request.name,
      .image_id = request.image.id,
      .image_name = request.image.name.empty() ? request.image.id : request.image.name,
      .created_at = now_nanoseconds(),
      // One that is to go when it ends, and whose maker dies before it has begun, is nobody's: recover()
      // removes it.
      .state = request.remove_on_exit && request.starts_at_once ? store::kRunning : store::kCreated,
      .remove_on_exit = request.remove_on_exit,
      .project = request.spec.project};
  // A container that goes with its process does not outlive a reboot, so nothing of it has to.
  if (request.remove_on_exit) TRY(store.db().relax_durability());
  // While this is held nobody takes the directory for something left behind (recover.cc).
  const sys::FileLock creating = TRY(sys::FileLock::shared(store.root(), kCreatingLock));
  const Caller caller = caller_from_environment();
  TRY(settle_project(store.db(), request.config, caller.name, request.image, request.spec));
  TRY(settle_userns(request.spec, request.config, caller));
  TRY(plan_volumes(store, request.image, request.spec));
  TRY(inherit_banks(store, request.spec));
  TRY(settle_translation(store, request.spec, request.namespaces.plan.user != runtime::NamespaceUse::host));
  const std::string path = container_directory(record.id);
  TRY(sys::ensure_dir_at(store.root(), path, 0700));
  fault::point("container-directory-made");
  MadeVolumes volumes;
  const auto make = [&]() -> Result<LockedContainer> {
    const sys::UniqueFd directory = TRY(sys::open_at(store.root(), path, O_PATH | O_DIRECTORY | O_NOFOLLOW));
    sys::FileLock lock = TRY(sys::FileLock::exclusive(directory.get(), monitor::kLockFile));
    TRY(make_upper(directory.get(), request.image));
    const auto group = TRY(volume_group(store.db(), request.config, caller.name, request.spec));
    volumes = TRY(make_volumes(store, request.image, request.spec, {request.remove_on_exit, group}));
    fault::point("volumes-made");
    TRY(insert_with_ids(store, record, request, volumes, directory.get()));
    fault::point("container-recorded");
    TRY(settle_volumes(store, request.spec));
    if (!record.remove_on_exit) TRY(write_container_copy(store, record));
    announce(store, record, events::kCreate);
    return LockedContainer{record, std::move(lock)};
  };
  Result<LockedContainer> made = make();
  if (!made) {
    [[maybe_unused]] const Result<> removed = sys::remove_tree_at(store.root(), path);
    [[maybe_unused]] const Result<> cleaned = remove_unrecorded_volumes(store, request.spec);
  }
  return made;
}

Result<LockedContainer> lock_container(store::Store& store, const store::ContainerRecord& record) {
  Result<sys::FileLock> lock =
      sys::FileLock::try_existing(store.root(), container_directory(record.id) + "/" + monitor::kLockFile);
  if (!lock && lock.error().code == Code::conflict) {
    return fail(Code::conflict, "container {} is running, or another command is busy with it", record.name);
  }
  if (!lock && lock.error().err == ENOENT) {
    return fail(Code::not_found, "container {} has been removed meanwhile", record.name);
  }
  if (!lock) return std::unexpected(lock.error());
  return LockedContainer{TRY(store::find_container(store.db(), record.id)), std::move(*lock)};
}

Result<LockedContainer> take_container(store::Store& store, const store::ContainerRecord& record,
                                       sys::UniqueFd fd) {
  const std::string path = container_directory(record.id) + "/" + monitor::kLockFile;
  sys::FileLock lock = TRY(sys::FileLock::inherited(store.root(), path, std::move(fd)));
  return LockedContainer{TRY(store::find_container(store.db(), record.id)), std::move(lock)};
}

}  // namespace berth::engine
