// `berth rmi` and `berth image prune`.
#include <cstdio>

#include "cli/confirm.h"
#include "cli/flags.h"
#include "cli/image_text.h"
#include "cli/images.h"
#include "cli/prune.h"
#include "cli/times.h"
#include "engine/container/announce.h"
#include "engine/identity/identity_layer.h"
#include "engine/translation/translate.h"
#include "oci/image_config.h"
#include "store/images.h"
#include "store/layers.h"
#include "store/translations.h"

namespace berth::cli {

namespace {

// The image, and the identity layers that were made for it.
Result<> remove_with_identities(store::Store& store, const std::string& id, const std::string& name) {
  TRY(store::remove_image(store, id));
  engine::announce_image(store, events::kRemove, id, name);
  return engine::remove_identities(store, id);
}

Result<> forget(store::Store& store, const std::string& id, const std::vector<std::string>& names) {
  TRY(remove_with_identities(store, id, names.empty() ? std::string() : names.front()));
  for (const std::string& name : names) fmt::print("Untagged: {}\n", name);
  fmt::print("Deleted: {}\n", hex_of(id));
  return {};
}

// By a name, only that name goes while the image has others; by its ID all of it.
Result<> remove_one(store::Store& store, const std::string& word, bool force) {
  const store::ImageRecord image = TRY(store::find_image(store, word));
  const std::vector<std::string> names = TRY(store::image_names(store, image.id));
  if (!image.name.empty() && names.size() > 1) {
    TRY(store::untag_image(store, image.name));
    engine::announce_image(store, events::kUntag, image.id, image.name);
    fmt::print("Untagged: {}\n", image.name);
    return {};
  }
  if (image.name.empty() && names.size() > 1 && !force) {
    Error error =
        fail(Code::conflict, "the image has {} names: {}", names.size(), fmt::join(names, ", ")).error();
    return std::unexpected(std::move(error).with_hint("--force removes it with all of them."));
  }
  return forget(store, image.id, names);
}

void report(Error error) {
  const std::string text = render("berth", error);
  std::fflush(stdout);
  std::fwrite(text.data(), 1, text.size(), stderr);
}

// Goes on after an error; the last one is for the caller to report.
class Outcome {
 public:
  void add(Error error) {
    if (last_) report(std::move(*last_));
    last_ = std::move(error);
  }
  Result<int> finish(store::Store& store) {
    const Result<int64_t> collected = store::collect_garbage(store);
    if (!collected) add(Error(collected.error()));
    if (last_) return std::unexpected(std::move(*last_));
    return 0;
  }

 private:
  std::optional<Error> last_;
};

// Copies of images that stay, for other IDs. With `all` also those for banks that have a name.
Result<> prune_translations(store::Store& store, bool all) {
  store::Transaction transaction = TRY(store::Transaction::begin(store.db()));
  const std::vector<store::Translation> copies =
      TRY(store::forget_unneeded_translations(store.db(), {.kept_for_banks = !all}));
  TRY(transaction.commit());
  for (const store::Translation& copy : copies) fmt::print("{} (copy)\n", hex_of(copy.image_id));
  return engine::remove_translations(store, copies);
}

}  // namespace

Result<int> remove_images(const Invocation& invocation) {
  bool force = false;
  bool all = false;
  bool ignore = false;
  std::vector<std::string> words;
  Flags line(invocation, "[flags] IMAGE [IMAGE...]",
             "Removes images. An image that a container is made from stays.",
             "  berth rmi busybox\n  berth rmi --all\n");
  line.flag("-f,--force", force, "Remove an image by its ID even if it has several names");
  line.flag("-a,--all", all, "Remove all images");
  line.flag("-i,--ignore", ignore, "An image that is not there is no error");
  line.words("images", words, Need::optional);
  if (!TRY(line.parse())) return 0;
  if (words.empty() != all) {
    return fail(Code::usage, "berth {}: name images or give --all, one of the two", invocation.name);
  }
  store::Store store = TRY(open_store(invocation));
  Outcome outcome;
  if (all) {
    for (const store::ImageSummary& image : TRY(store::list_images(store))) {
      Result<> removed = forget(store, image.id, image.names);
      if (!removed) outcome.add(std::move(removed.error()).context("cannot remove an image"));
    }
  }
  for (const std::string& word : words) {
    Result<> removed = remove_one(store, word, force);
    if (removed || (ignore && removed.error().code == Code::not_found)) continue;
    outcome.add(std::move(removed.error()).context(fmt::format("cannot remove \"{}\"", word)));
  }
  return outcome.finish(store);
}

Result<int> remove_unneeded_images(store::Store& store, bool all, const PruneFilters& filters) {
  Outcome outcome;
  for (const store::ImageSummary& image : TRY(store::list_images(store))) {
    if (!all && !image.names.empty()) continue;
    if (!TRY(store::containers_of_image(store, image.id)).empty()) continue;
    const auto config = oci::parse_image_config(image.config);
    const int64_t made_at =
        config ? parse_rfc3339(config->created).value_or(image.pulled_at) : image.pulled_at;
    if (!filters.let(made_at, config ? config->labels : std::map<std::string, std::string>())) continue;
    Result<> removed =
        remove_with_identities(store, image.id, image.names.empty() ? std::string() : image.names.front());
    // A container may have been made from it since.
    if (!removed && removed.error().code != Code::conflict) {
      outcome.add(std::move(removed.error()));
    } else if (removed) {
      fmt::print("{}\n", hex_of(image.id));
    }
  }
  if (Result<> pruned = prune_translations(store, all); !pruned) outcome.add(std::move(pruned.error()));
  return outcome.finish(store);
}

Result<int> prune_images(const Invocation& invocation) {
  bool all = false;
  bool force = false;
  std::vector<std::string> words;
  Flags line(invocation, "[flags]",
             "Removes images that have no name and that no container is made from, and copies of images for "
             "other IDs\n"
             "that no container needs; with --all also copies for banks that have a name.",
             "  berth image prune --all --force\n");
  line.flag("-a,--all", all,
            "Remove every image that no container is made from, not only those without a name");
  line.list("--filter", words, "until=, label= or label!=");
  line.flag("-f,--force", force, "Do not ask");
  if (!TRY(line.parse())) return 0;
  const PruneFilters filters = TRY(PruneFilters::parse(words));
  store::Store store = TRY(open_store(invocation));
  const std::string consequence = fmt::format("This removes all images {}that no container is made from.",
                                              all ? "" : "without a name and ");
  if (!force && !confirmed(consequence)) return 0;
  return remove_unneeded_images(store, all, filters);
}

}  // namespace berth::cli
