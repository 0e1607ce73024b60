#include "transfer_cli/pull.h"

#include <csignal>

#include "cli/flags.h"
#include "registry/credentials.h"
#include "store/images.h"
#include "transfer/pull.h"
#include "transfer_cli/pull_progress.h"
#include "transfer_cli/registry_flags.h"

namespace berth::transfer_cli {

namespace {

struct PullFlags {
  RegistryFlags registry;
  bool quiet = false;
  bool all_tags = false;
  std::string platform;
  std::string os;
  std::string architecture;
  std::string variant;
  std::string credentials;
  std::string policy = "always";
  int retries = 3;
  std::string retry_delay = "1s";
  std::vector<std::string> references;
};

void add_flags(cli::Flags& line, PullFlags& flags) {
  line.flag("-q,--quiet", flags.quiet, "Print the image's ID and nothing else");
  line.flag("-a,--all-tags", flags.all_tags, "Fetch every tag of the repository");
  line.value("--platform", flags.platform, "Platform of the image, if it is not this machine's",
             {.shown = "OS/ARCH[/VARIANT]"});
  line.value("--os", flags.os, "Operating system of the image", {.shown = "OS"});
  line.value("--arch", flags.architecture, "Architecture of the image", {.shown = "ARCH"});
  line.value("--variant", flags.variant, "Variant of the architecture", {.shown = "VARIANT"});
  line.value("--creds", flags.credentials, "Log in with these instead of the stored ones",
             {.shown = "USER[:PASSWORD]"});
  line.value("--policy", flags.policy, "always, missing, never or newer",
             {.shown = "POLICY", .choices = {"always", "missing", "never", "newer"}});
  line.value("--retry", flags.retries, "How often a broken request is tried again",
             {.shown = "N", .range = cli::Range{0, 1000}});
  line.value("--retry-delay", flags.retry_delay, "Wait so long before the first retry, then ever longer",
             {.shown = "DURATION"});
  flags.registry.add_to(line);
  line.words("IMAGE", flags.references, cli::Need::required,
             "What to pull: busybox, localhost:5000/team/app:1.2, …");
}

Result<oci::Platform> wanted_platform(const PullFlags& flags) {
  const bool parts = !flags.os.empty() || !flags.architecture.empty() || !flags.variant.empty();
  if (!flags.platform.empty()) {
    if (parts) return fail(Code::usage, "--platform can't be given together with --os, --arch or --variant");
    return TRY_CONTEXT(oci::parse_platform(flags.platform), "--platform");
  }
  if (!parts) return oci::host_platform();
  oci::Platform platform = oci::host_platform();
  if (!flags.os.empty()) platform.os = flags.os;
  if (!flags.architecture.empty()) {
    platform.architecture = flags.architecture;
    platform.variant.clear();
  }
  if (!flags.variant.empty()) platform.variant = flags.variant;
  return TRY_CONTEXT(oci::parse_platform(oci::describe(platform)), "--os, --arch, --variant");
}

// As podman prints it: without the algorithm.
void print_id(const std::string& id) {
  fmt::print("{}\n", std::string_view(id).substr(id.find(':') + 1));
}

Result<std::unique_ptr<registry::Client>> connect(const PullFlags& flags, const oci::Reference& reference,
                                                  PullProgress& progress) {
  registry::ClientOptions options;
  options.http = TRY(flags.registry.http_options());
  options.retry.retries = flags.retries;
  options.retry.first_delay = TRY(parse_duration("--retry-delay", flags.retry_delay));
  options.on_retry = [&progress](const Error& failed, std::chrono::milliseconds wait) {
    progress.retrying(failed, wait);
  };
  if (!flags.credentials.empty()) {
    options.login = TRY(parse_credentials(flags.credentials, reference.registry()));
  } else {
    const registry::CredentialPlaces places = registry::credential_places(flags.registry.authfile);
    options.login = TRY(registry::find_login(places, reference.registry(), reference.repository()));
  }
  return registry::Client::connect(reference.registry(), std::move(options));
}

// The id of an image that is in the store under exactly this name, or none.
Result<std::string> present_image(store::Store& store, const oci::Reference& reference) {
  const std::string name =
      reference.digest() ? reference.with_digest(*reference.digest()).full() : reference.full();
  const store::ImageRecord image = TRY(store::find_image(store, name));
  return image.id;
}

Result<std::string> fetch(store::Store& store, const PullFlags& flags, const oci::Reference& reference,
                          const oci::Platform& platform) {
  PullProgress progress(progress_style(flags.quiet));
  const std::unique_ptr<registry::Client> client = TRY(connect(flags, reference, progress));
  return transfer::pull_image(store, *client, reference, platform, progress);
}

Result<std::string> pull_one(store::Store& store, const PullFlags& flags, const oci::Reference& reference,
                             const oci::Platform& platform) {
  Result<std::string> present =
      flags.policy == "always" ? Result<std::string>(std::unexpect) : present_image(store, reference);
  if (flags.policy == "never" && !present) {
    return fail(Code::not_found, "cannot pull \"{}\": it is not in the store, and the policy is never",
                reference.full());
  }
  if ((flags.policy == "missing" || flags.policy == "never") && present) return present;
  Result<std::string> id = fetch(store, flags, reference, platform);
  if (!id && flags.policy == "newer" && present) return present;
  if (!id)
    return std::unexpected(
        std::move(id).error().context(fmt::format("cannot pull \"{}\"", reference.full())));
  return id;
}

Result<std::vector<oci::Reference>> all_tags_of(const PullFlags& flags, const std::string& word) {
  const oci::Reference repository = TRY(oci::Reference::parse_repository(word));
  PullProgress progress(progress_style(flags.quiet));
  std::vector<oci::Reference> out;
  const std::unique_ptr<registry::Client> client =
      TRY_CONTEXT(connect(flags, repository, progress), "cannot list the tags of \"{}\"", repository.name());
  const std::vector<std::string> tags =
      TRY_CONTEXT(client->tags(repository.repository()), "cannot list the tags of \"{}\"", repository.name());
  for (const std::string& tag : tags) out.push_back(TRY(repository.with_tag(tag)));
  if (out.empty()) return fail(Code::not_found, "the repository \"{}\" has no tags", repository.name());
  return out;
}

}  // namespace

Result<int> pull(const cli::Invocation& invocation) {
  PullFlags flags;
  cli::Flags line(
      invocation, "[flags] IMAGE [IMAGE...]",
      "Fetches images from registries, unpacks them, and prints their IDs. A name without a registry is one "
      "of docker.io.",
      "  berth pull busybox\n"
      "  berth pull --platform linux/arm64 localhost:5000/team/app:1.2\n"
      "  berth pull --creds ann registry.example/app@sha256:…\n");
  add_flags(line, flags);
  if (!TRY(line.parse())) return 0;
  // A server that closes its end must be an error, not the end.
  std::signal(SIGPIPE, SIG_IGN);
  const oci::Platform platform = TRY(wanted_platform(flags));
  std::vector<oci::Reference> references;
  for (std::string_view word : flags.references) {
    constexpr std::string_view kTransport = "docker://";
    if (word.starts_with(kTransport)) word.remove_prefix(kTransport.size());
    if (!flags.all_tags) {
      references.push_back(TRY(oci::Reference::parse(word)));
      continue;
    }
    const std::vector<oci::Reference> tagged = TRY(all_tags_of(flags, std::string(word)));
    references.insert(references.end(), tagged.begin(), tagged.end());
  }
  store::Store store = TRY(cli::open_store(invocation));
  for (const oci::Reference& reference : references)
    print_id(TRY(pull_one(store, flags, reference, platform)));
  return 0;
}

}  // namespace berth::transfer_cli
