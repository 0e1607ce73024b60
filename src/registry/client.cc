#include "registry/client.h"

#include <nlohmann/json.hpp>
#include <thread>

#include <unistd.h>

#include "base/log.h"
#include "oci/json.h"
#include "oci/reference.h"
#include "registry/answer.h"
#include "registry/blob_stream.h"
#include "registry/hash.h"

namespace berth::registry {

namespace {

constexpr int kMaxRedirects = 5;
constexpr size_t kMaxTagAnswer = 4UL << 20;
constexpr size_t kMaxTags = 10'000;
constexpr std::string_view kApiVersion = "docker-distribution-api-version";

// The host that answers for the default registry's name.
std::string api_host(const std::string& registry) {
  return registry == oci::kDefaultRegistry ? "registry-1.docker.io" : registry;
}

std::string accepted_types() {
  return fmt::format("{}, {}, {}, {}", oci::media_type::kOciIndex, oci::media_type::kOciManifest,
                     oci::media_type::kDockerIndex, oci::media_type::kDockerManifest);
}

bool is_redirect(long status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

// Nobody asked for a compressed transfer, and its length would be without bound.
Attempt<void> check_plain_transfer(const Response& response) {
  const std::string encoding = response.headers().first("content-encoding");
  if (encoding.empty() || encoding == "identity") return {};
  return std::unexpected(Failure(
      Error{Code::refused,
            0,
            fmt::format("the registry compressed its answer (Content-Encoding: {}) unasked", encoding),
            {}}));
}

}  // namespace

std::string pull_scope(const std::string& repository) {
  return fmt::format("repository:{}:pull", repository);
}

RetryPlan Client::new_plan() {
  const auto now = static_cast<uint32_t>(std::chrono::steady_clock::now().time_since_epoch().count());
  return {options_.retry, now ^ static_cast<uint32_t>(::getpid()) ^ (plans_++ << 24)};
}

void Client::wait(const Failure& failure, std::chrono::milliseconds delay) {
  if (options_.on_retry) options_.on_retry(failure.error, delay);
  std::this_thread::sleep_for(delay);
}

template <typename Action>
auto Client::persist(Action action) -> decltype(action()) {
  RetryPlan plan = new_plan();
  while (true) {
    auto outcome = action();
    if (outcome) return outcome;
    const auto delay = plan.next(outcome.error());
    if (!delay) {
      if (plan.tried() > 0)
        outcome.error().error.message += fmt::format(" (tried {} times)", plan.tried() + 1);
      return outcome;
    }
    wait(outcome.error(), *delay);
  }
}

Result<std::unique_ptr<Client>> Client::connect(const std::string& registry, ClientOptions options) {
  if (!oci::is_registry_name(registry)) return fail(Code::usage, "\"{}\" is not a registry's name", registry);
  options.http.cert_dir_host = registry;
  std::unique_ptr<Client> client(new Client(registry, std::move(options)));
  const bool plain_allowed = !client->options_.http.tls_verify || is_loopback(host_of(registry));
  TRY(client->persist([&]() -> Attempt<void> {
    Attempt<void> secure = client->ping("https");
    if (secure || !plain_allowed || !secure.error().no_tls) return secure;
    return client->ping("http");
  }));
  return client;
}

Attempt<void> Client::ping(const std::string& scheme) {
  const Url base = TRY(parse_url(scheme + "://" + api_host(registry_)));
  base_ = base;
  authorizer_ = std::make_unique<Authorizer>(http_, base, options_.login);
  Request request{TRY(parse_url(base.origin() + "/v2/")), {}, std::nullopt};
  const std::unique_ptr<Response> response = TRY(follow(std::move(request), {}));
  log::debug("the registry {} answered {} by {}", registry_, response->status(), scheme);
  if (response->status() == 401) {
    authorizer_->learn(response->headers());
    return {};
  }
  if (response->status() == 200) return {};
  Failure failure = failure_of(*response, fmt::format("{} at /v2/", registry_));
  if (!failure.transient) {
    const bool known = !response->headers().first(std::string(kApiVersion)).empty();
    failure.error.hint =
        known ? "" : "What answers there may not be a registry; check the host and the port.";
  }
  return std::unexpected(std::move(failure));
}

Attempt<std::unique_ptr<Response>> Client::follow(Request request, const std::string& authorization) {
  for (int hop = 0; hop <= kMaxRedirects; ++hop) {
    Request sent = request;
    // Credentials are for the registry's own origin and for nobody whom it points to.
    const bool at_home = sent.url.origin() == base_->origin();
    if (at_home && !authorization.empty()) sent.headers.emplace_back("Authorization", authorization);
    std::unique_ptr<Response> response = TRY(http_.open(sent));
    log::debug("GET {}: {}", sent.url.shown(), response->status());
    if (!is_redirect(response->status())) return response;
    Url next = TRY(parse_url(response->location()));
    if (next.plain() && !sent.url.plain()) {
      return std::unexpected(Failure(
          Error{Code::refused,
                0,
                fmt::format("{} redirects from https to plain HTTP ({})", sent.url.origin(), next.shown()),
                {}}));
    }
    if (next.plain() && !is_loopback(next.host) && options_.http.tls_verify) {
      return std::unexpected(Failure(Error{
          Code::refused, 0, fmt::format("{} redirects to plain HTTP ({})", sent.url.origin(), next.shown()),
          "--tls-verify=false would allow it, if you trust the network."}));
    }
    request.url = std::move(next);
  }
  return std::unexpected(Failure(
      Error{Code::refused, 0, fmt::format("{} redirects more than {} times", registry_, kMaxRedirects), {}}));
}

Failure Client::login_refused(Response& response) const {
  Failure failure = failure_of(response, fmt::format("the registry {}", registry_));
  failure.error.hint =
      authorizer_->has_login()
          ? fmt::format(
                "Check that the image exists and that the user may pull it, or log in again: "
                "`berth login {}`.",
                registry_)
          : fmt::format("Check the image's name, or log in: `berth login {}`.", registry_);
  return failure;
}

Attempt<std::unique_ptr<Response>> Client::get(
    const std::string& path, const std::string& scope,
    const std::vector<std::pair<std::string, std::string>>& headers) {
  for (int turn = 0;; ++turn) {
    Attempt<std::string> authorization = authorizer_->authorization(scope);
    if (!authorization) {
      if (authorization.error().error.code == Code::refused && authorization.error().error.hint.empty()) {
        authorization.error().error.hint = fmt::format("Log in with `berth login {}`.", registry_);
      }
      return std::unexpected(std::move(authorization).error());
    }
    Request request{TRY(parse_url(base_->origin() + "/v2/" + path)), headers, std::nullopt};
    std::unique_ptr<Response> response = TRY(follow(std::move(request), *authorization));
    if (response->status() != 401) return response;
    // A token may have expired meanwhile, or the registry asks for one for this path only.
    authorizer_->learn(response->headers());
    if (turn > 0 || !authorizer_->reject(scope, *authorization))
      return std::unexpected(login_refused(*response));
  }
}

Attempt<Document> Client::try_manifest(const std::string& repository, const std::string& name) {
  const std::string path = fmt::format("{}/manifests/{}", repository, name);
  const std::unique_ptr<Response> response =
      TRY(get(path, pull_scope(repository), {{"Accept", accepted_types()}}));
  if (response->status() != 200) {
    Failure failure =
        failure_of(*response, fmt::format("the registry {}", registry_), "no image of this name and tag");
    if (response->status() == 404) failure.error.hint = "Check the name and the tag.";
    return std::unexpected(std::move(failure));
  }
  TRY(check_plain_transfer(*response));
  std::string bytes = TRY(response->read_all(oci::kMaxManifestBytes));
  oci::Digest digest = TRY(digest_of(bytes, oci::Digest::Algorithm::sha256));
  // A registry may use sha512; then that is what the bytes are checked against.
  if (const std::string said = response->headers().first("docker-content-digest"); !said.empty()) {
    const oci::Digest claimed = TRY(oci::Digest::parse(said));
    const oci::Digest actual = TRY(digest_of(bytes, claimed.algorithm()));
    if (actual != claimed) {
      return std::unexpected(Failure(Error{
          Code::refused, 0,
          fmt::format("the manifest's digest is {}, and the registry said {}", actual.str(), claimed.str()),
          "The registry is broken or lies; nothing of the image was kept."}));
    }
  }
  return Document{std::move(bytes), response->headers().first("content-type"), std::move(digest)};
}

Result<Document> Client::manifest_by_tag(const std::string& repository, const std::string& tag) {
  return TRY(persist([&] { return try_manifest(repository, tag); }));
}

Result<Document> Client::manifest_by_digest(const std::string& repository, const oci::Digest& digest,
                                            std::optional<uint64_t> size) {
  Document document = TRY(persist([&] { return try_manifest(repository, digest.str()); }));
  const oci::Digest actual = TRY(digest_of(document.bytes, digest.algorithm()));
  if (actual != digest || (size && *size != document.bytes.size())) {
    return std::unexpected(
        Error{Code::refused, 0,
              fmt::format("the registry {} gave {} bytes with the digest {} for the manifest {}", registry_,
                          document.bytes.size(), actual.str(), digest.str()),
              "The registry is broken or lies; nothing of the image was kept."});
  }
  document.digest = digest;
  return document;
}

Attempt<std::string> Client::try_small_blob(const std::string& repository,
                                            const oci::Descriptor& descriptor) {
  const std::unique_ptr<Response> response =
      TRY(get(fmt::format("{}/blobs/{}", repository, descriptor.digest.str()), pull_scope(repository), {}));
  if (response->status() != 200)
    return std::unexpected(failure_of(*response, fmt::format("the registry {}", registry_)));
  TRY(check_plain_transfer(*response));
  return response->read_all(descriptor.size);
}

Result<std::string> Client::small_blob(const std::string& repository, const oci::Descriptor& descriptor,
                                       size_t limit) {
  if (descriptor.size > limit) {
    return fail(Code::refused, "the blob {} has {} bytes, and at most {} are read", descriptor.digest.str(),
                descriptor.size, limit);
  }
  std::string bytes = TRY(persist([&] { return try_small_blob(repository, descriptor); }));
  const oci::Digest actual = TRY(digest_of(bytes, descriptor.digest.algorithm()));
  if (actual != descriptor.digest || bytes.size() != descriptor.size) {
    return std::unexpected(
        Error{Code::refused, 0,
              fmt::format("the registry {} gave {} bytes with the digest {} for the blob {} of {} bytes",
                          registry_, bytes.size(), actual.str(), descriptor.digest.str(), descriptor.size),
              "The registry is broken or lies; nothing of the image was kept."});
  }
  return bytes;
}

Result<std::unique_ptr<ByteSource>> Client::open_blob(const std::string& repository,
                                                      const oci::Descriptor& descriptor,
                                                      std::function<void(size_t)> on_bytes) {
  return std::make_unique<BlobStream>(*this, repository, descriptor, std::move(on_bytes));
}

Result<std::vector<std::string>> Client::tags(const std::string& repository) {
  const auto fetch = [&]() -> Attempt<std::string> {
    const std::unique_ptr<Response> response =
        TRY(get(fmt::format("{}/tags/list?n={}", repository, kMaxTags), pull_scope(repository), {}));
    if (response->status() != 200) {
      return std::unexpected(
          failure_of(*response, fmt::format("the registry {}", registry_), "no such repository"));
    }
    return response->read_all(kMaxTagAnswer);
  };
  const std::string body = TRY(persist(fetch));
  const nlohmann::json json = TRY_CONTEXT(oci::parse_json(body, kMaxTagAnswer), "the list of tags");
  std::vector<std::string> tags = TRY(oci::JsonView(json, "the list of tags").strings_or_empty("tags"));
  if (tags.size() > kMaxTags) return fail(Code::refused, "the repository has more than {} tags", kMaxTags);
  return tags;
}

Result<> Client::check_login() {
  const std::unique_ptr<Response> response = TRY(persist([&] { return get("", "", {}); }));
  if (response->status() == 200) return {};
  return std::unexpected(failure_of(*response, fmt::format("the registry {}", registry_)).error);
}

}  // namespace berth::registry
