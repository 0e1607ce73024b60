#include "cli/new_container.h"

#include <cerrno>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/run_program.h"
#include "config/load.h"
#include "engine/container/container_cgroup.h"
#include "engine/ids/id_decision.h"
#include "engine/ids/kept_groups.h"
#include "engine/ids/namespaces.h"
#include "engine/ids/resource_rules.h"
#include "engine/network/settle_network.h"
#include "engine/remove.h"
#include "sys/companion.h"
#include "sys/file.h"

namespace berth::cli {

namespace {

// Runs `berth-transfer pull`, which reports its own errors.
Result<> pull_image(const Invocation& invocation, const RunFlags& flags) {
  const std::string program = TRY(sys::companion_path("berth-transfer"));
  std::vector<std::string> words{"pull"};
  if (!flags.platform.empty()) words.insert(words.end(), {"--platform", flags.platform});
  words.push_back(flags.image);
  // The image's ID, which it prints, is no output of the container's.
  const int status = TRY(run_program(invocation, program, words));
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
  return fail("the image {} could not be fetched", flags.image);
}

Result<store::ImageRecord> image_for(const Invocation& invocation, store::Store& store,
                                     const RunFlags& flags) {
  if (flags.pull == "always" || flags.pull == "newer") {
    const Result<> pulled = pull_image(invocation, flags);
    // "newer" is content with what is here.
    if (!pulled && flags.pull == "always") return std::unexpected(pulled.error());
  }
  Result<store::ImageRecord> found = store::find_image(store, flags.image);
  if (found || found.error().code != Code::not_found || flags.pull == "never") return found;
  // A misspelt name shows itself before the registry is asked.
  if (!found.error().hint.empty()) fmt::print(stderr, "{} is not here yet; fetching it\n", flags.image);
  TRY(pull_image(invocation, flags));
  return store::find_image(store, flags.image);
}

// --cidfile. As podman and Docker have it, a file that is there already is an error, and nothing is made.
class CidFile {
 public:
  static Result<CidFile> create(const std::string& path) {
    CidFile file(path);
    if (path.empty()) return file;
    Result<sys::UniqueFd> fd = sys::open_at(AT_FDCWD, path, O_WRONLY | O_CREAT | O_EXCL, 0644);
    if (!fd && fd.error().err == EEXIST) {
      Error error{Code::conflict, 0, fmt::format("--cidfile {}: the file exists", path), {}};
      return std::unexpected(
          std::move(error).with_hint("It may be of another container; remove it or name another."));
    }
    file.fd_ = TRY_CONTEXT(std::move(fd), "--cidfile");
    return file;
  }
  CidFile(CidFile&&) = default;
  CidFile& operator=(CidFile&&) = delete;
  CidFile(const CidFile&) = delete;
  CidFile& operator=(const CidFile&) = delete;
  // Nothing of it is left unless a container's ID has been written.
  ~CidFile() {
    if (fd_.valid()) ::unlink(path_.c_str());
  }

  Result<> write(const std::string& id) {
    if (!fd_.valid()) return {};
    TRY_CONTEXT(sys::write_all(fd_.get(), id), "--cidfile {}", path_);
    fd_.reset();
    return {};
  }

 private:
  explicit CidFile(std::string path) : path_(std::move(path)) {}
  std::string path_;
  sys::UniqueFd fd_;
};

}  // namespace

Result<NewContainer> new_container(const Invocation& invocation, store::Store& store, const RunFlags& flags,
                                   bool starts_at_once) {
  engine::ContainerSpec spec = TRY(container_spec(flags));
  const config::Config config = TRY(config::load(config::sources_from_environment()));
  TRY(engine::settle_network_kind(spec, config));
  CidFile cid_file = TRY(CidFile::create(flags.cid_file));
  store::ImageRecord image = TRY(image_for(invocation, store, flags));
  const std::string id = TRY(engine::new_container_id());
  const engine::Caller caller = engine::caller_from_environment();
  TRY(engine::take_kept_groups(spec, config, caller));
  TRY(engine::settle_resources(store.db(), config, caller.name, spec));
  const runtime::Namespaces namespaces = TRY(engine::namespaces_for_new(store, spec, config));
  const monitor::CgroupRequest cgroup = TRY(engine::cgroup_request(id, spec.resources, config));
  engine::MonitorProcess monitor;
  if (starts_at_once) monitor = TRY(engine::spawn_monitor(id, namespaces, cgroup));
  engine::LockedContainer container =
      TRY(engine::create_container(store, {.id = id,
                                           .name = flags.name,
                                           .spec = std::move(spec),
                                           .config = config,
                                           .namespaces = namespaces,
                                           .image = image,
                                           .remove_on_exit = flags.remove,
                                           .starts_at_once = starts_at_once}));
  if (const Result<> written = cid_file.write(container.record.id); !written) {
    TRY(engine::remove_container(store, container));
    return std::unexpected(written.error());
  }
  return NewContainer{std::move(container), std::move(image), std::move(monitor)};
}

}  // namespace berth::cli
