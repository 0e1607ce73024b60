#include "transfer/layer_install.h"

#include <algorithm>
#include <array>
#include <thread>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "store/layer_stack.h"
#include "sys/file.h"
#include "transfer/file_source.h"
#include "unpack/decompress.h"
#include "unpack/sha256.h"

namespace berth::transfer {

namespace {

// Two threads a layer; more downloads at once than a small machine has processors, as they wait for the
// network.
constexpr size_t kAtOnce = 3;

// A source that ends with an error once another layer of the image has failed: nobody waits for the rest
// then.
class StoppableSource : public ByteSource {
 public:
  StoppableSource(std::unique_ptr<ByteSource> source, const std::atomic<bool>& stop)
      : source_(std::move(source)), stop_(stop) {}
  Result<size_t> read(std::span<std::byte> buffer) override {
    if (stop_) return fail("another layer failed");
    return source_->read(buffer);
  }

 private:
  std::unique_ptr<ByteSource> source_;
  const std::atomic<bool>& stop_;
};

Result<bool> describe_blob(const std::string& digest, int fd, InstalledLayer& layer) {
  std::array<std::byte, unpack::kMagicLength> magic{};
  const ssize_t n = ::pread(fd, magic.data(), magic.size(), 0);
  if (n < 0) return fail_errno(errno, "read the blob {}", digest);
  const unpack::Compression found =
      unpack::detect_compression(std::span(magic).first(static_cast<size_t>(n)));
  layer.blob = digest;
  layer.blob_media_type = unpack::layer_media_type(found);
  layer.blob_size = static_cast<uint64_t>(TRY(sys::stat_at(fd, "", AT_EMPTY_PATH)).st_size);
  return true;
}

// image-spec, config.md, "Layer ChainID".
std::vector<std::string> chain_ids(const std::vector<WantedLayer>& layers) {
  std::vector<std::string> ids;
  for (const WantedLayer& layer : layers) {
    if (!layer.expected.diff_id) return std::vector<std::string>(layers.size());
    const std::string& diff_id = *layer.expected.diff_id;
    ids.push_back(ids.empty() ? diff_id : unpack::sha256_digest(ids.back() + " " + diff_id));
  }
  return ids;
}

}  // namespace

Result<std::vector<InstalledLayer>> LayerInstall::run(std::vector<WantedLayer> wanted) {
  const std::vector<std::string> chains = chain_ids(wanted);
  for (size_t i = 0; i < wanted.size(); ++i) {
    Job job{.wanted = std::move(wanted[i])};
    if (!chains[i].empty()) job.chained_directory = store::chained_layer_directory(chains[i]);
    jobs_.push_back(std::move(job));
  }
  find_repetitions();
  std::vector<std::jthread> threads;
  for (size_t i = 0; i < std::min(kAtOnce, jobs_.size()); ++i) threads.emplace_back([this] { work(); });
  threads.clear();
  if (error_) return std::unexpected(std::move(*error_));
  std::vector<InstalledLayer> installed;
  for (size_t i = 0; i < jobs_.size(); ++i) {
    TRY_CONTEXT(finish_chained(i), "layer {} of {}", i + 1, jobs_.size());
    installed.push_back(*jobs_[i].installed);
  }
  return installed;
}

void LayerInstall::find_repetitions() {
  for (size_t i = 0; i < jobs_.size(); ++i) {
    const unpack::LayerExpectation& mine = jobs_[i].wanted.expected;
    for (size_t below = 0; below < i && mine.diff_id; ++below) {
      const unpack::LayerExpectation& other = jobs_[below].wanted.expected;
      if (other.blob == mine.blob && other.diff_id == mine.diff_id) {
        jobs_[i].same_as = below;
        break;
      }
    }
  }
}

void LayerInstall::work() {
  while (true) {
    size_t index = 0;
    {
      const std::lock_guard lock(mutex_);
      while (next_ < jobs_.size() && jobs_[next_].same_as) ++next_;
      if (next_ == jobs_.size() || failed_) return;
      index = next_++;
    }
    Result<> outcome = install(jobs_[index]);
    if (outcome) continue;
    const std::lock_guard lock(mutex_);
    // The first counts: the others may only say that they were stopped.
    if (!failed_.exchange(true)) {
      error_ = std::move(outcome.error()).context(fmt::format("layer {} of {}", index + 1, jobs_.size()));
    }
  }
}

Result<> LayerInstall::install(Job& job) {
  // Whoever is at the same layer does all of the work; this one then finds it done.
  std::optional<store::KeyLock> lock;
  const std::optional<std::string>& diff_id = job.wanted.expected.diff_id;
  if (diff_id) lock = TRY(store::KeyLock::acquire(store_, store::layer_directory(*diff_id)));
  bool has_tree = false;
  if (TRY(take_present(job, has_tree))) {
    if (job.wanted.ready) job.wanted.ready(true);
    return {};
  }
  TRY(unpack(job, has_tree));
  if (job.wanted.ready) job.wanted.ready(false);
  return {};
}

Result<bool> LayerInstall::take_present(Job& job, bool& has_tree) {
  const unpack::LayerExpectation& expected = job.wanted.expected;
  if (!expected.diff_id) return false;
  std::optional<store::LayerRecord> record;
  {
    const std::lock_guard lock(mutex_);
    record = TRY(store::find_layer(store_, store::layer_directory(*expected.diff_id)));
    if (!record) record = TRY(store::find_layer(store_, job.chained_directory));
  }
  has_tree = record.has_value();
  if (!record) return false;
  job.installed = InstalledLayer{{}, 0, {}, *expected.diff_id, std::move(*record)};
  std::optional<std::string> digest = expected.blob;
  if (!digest) {
    // Whatever blob another image has for it will do.
    const std::lock_guard lock(mutex_);
    digest = TRY(store::find_blob(store_, *expected.diff_id));
  }
  if (!digest) return false;
  const std::optional<sys::UniqueFd> blob = TRY(store::open_blob(store_, *digest));
  if (!blob) return false;
  return describe_blob(*digest, blob->get(), *job.installed);
}

Result<> LayerInstall::unpack(Job& job, bool has_tree) {
  store::Staging staging = TRY(store::Staging::create(store_));
  const unpack::UnpackMode mode = has_tree ? unpack::UnpackMode::blob_only : unpack::UnpackMode::tree;
  std::unique_ptr<ByteSource> source;
  // A tree may be missing where the blob is not: the layer has implicit directories and lay on other layers
  // so far.
  if (job.wanted.expected.blob) {
    std::optional<sys::UniqueFd> blob = TRY(store::open_blob(store_, *job.wanted.expected.blob));
    if (blob) source = std::make_unique<FileSource>(std::move(*blob));
  }
  if (!source) source = std::make_unique<StoppableSource>(TRY(job.wanted.open()), failed_);
  unpack::UnpackedLayer unpacked =
      TRY(unpack::unpack_layer(*source, job.wanted.expected, mode, staging.fd()));
  fault::point("layer-unpacked");
  if (::syncfs(staging.fd()) != 0) return fail_errno(errno, "write the layer to the disk");
  fault::point("layer-synced");
  TRY(store::place_blob(store_, staging.fd(), unpack::kStagedBlob, unpacked.blob));
  if (!job.installed) job.installed.emplace();
  InstalledLayer& installed = *job.installed;
  installed.blob = std::move(unpacked.blob);
  installed.blob_size = unpacked.blob_size;
  installed.blob_media_type = std::move(unpacked.blob_media_type);
  installed.diff_id = std::move(unpacked.diff_id);
  if (has_tree) return {};
  std::vector<std::string>& implicit = unpacked.tree.implicit_directories;
  // The root's attributes are looked up when the image is recorded, so they are no reason for a tree of its
  // own.
  const auto root = std::find(implicit.begin(), implicit.end(), "");
  const bool lists_root = root == implicit.end();
  if (!lists_root) implicit.erase(root);
  installed.record = store::LayerRecord{store::layer_directory(installed.diff_id),
                                        installed.diff_id,
                                        static_cast<int64_t>(unpacked.tree.bytes),
                                        static_cast<int64_t>(unpacked.tree.entries),
                                        lists_root,
                                        unpacked.tree.opaque_root};
  if (implicit.empty()) return place(job, staging.fd());
  job.implicit_directories = std::move(implicit);
  job.staging = std::move(staging);
  return {};
}

Result<> LayerInstall::place(Job& job, int staging) {
  const std::lock_guard lock(mutex_);
  store::LayerRecord& record = job.installed->record;
  // Without a diff_id known beforehand nobody could be kept from unpacking the same at the same time.
  std::optional<store::LayerRecord> present = TRY(store::find_layer(store_, record.directory));
  if (present) {
    record = std::move(*present);
    return {};
  }
  return store::place_layer(store_, staging, unpack::kStagedTree, record);
}

Result<> LayerInstall::finish_chained(size_t index) {
  Job& job = jobs_[index];
  if (job.same_as) {
    job.installed = jobs_[*job.same_as].installed;
    if (job.wanted.ready) job.wanted.ready(true);
    return {};
  }
  if (!job.staging) return {};
  std::string chain;
  for (size_t i = 0; i <= index; ++i) {
    const std::string& diff_id = jobs_[i].installed->diff_id;
    chain = i == 0 ? diff_id : unpack::sha256_digest(chain + " " + diff_id);
  }
  job.installed->record.directory = store::chained_layer_directory(chain);
  const sys::UniqueFd tree =
      TRY(sys::open_at(job.staging->fd(), unpack::kStagedTree, O_RDONLY | O_DIRECTORY));
  TRY(give_attributes(job, index, tree.get()));
  if (::syncfs(tree.get()) != 0) return fail_errno(errno, "write the layer to the disk");
  const store::KeyLock lock = TRY(store::KeyLock::acquire(store_, job.installed->record.directory));
  TRY(place(job, job.staging->fd()));
  job.staging.reset();
  return {};
}

Result<> LayerInstall::give_attributes(const Job& job, size_t index, int tree) {
  std::vector<sys::UniqueFd> below;
  for (size_t i = 0; i < index; ++i) {
    const store::LayerRecord& record = jobs_[i].installed->record;
    if (record.opaque_root) below.clear();
    below.push_back(TRY(store::open_layer(store_, record.directory)));
  }
  const store::LayerStack stack(std::move(below));
  const store::LayerStack own([&] {
    std::vector<sys::UniqueFd> only;
    only.emplace_back(::fcntl(tree, F_DUPFD_CLOEXEC, 0));
    return only;
  }());
  for (const std::string& path : job.implicit_directories) {
    const std::optional<sys::UniqueFd> from = TRY(stack.find_directory(path));
    if (!from) continue;
    const std::optional<sys::UniqueFd> to = TRY(own.find_directory(path));
    if (!to) return fail("the directory {} is gone", path);
    const unpack::Attributes attributes = TRY(unpack::read_attributes(from->get()));
    TRY(unpack::apply_attributes(to->get(), attributes, path));
  }
  return {};
}

}  // namespace berth::transfer
