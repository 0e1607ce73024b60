#include "engine/identity/container_identity.h"

#include "store/layer_stack.h"

namespace berth::engine {

const std::string& working_directory_of(const ContainerSpec& spec, const oci::ImageConfig& image) {
  return !spec.working_directory.empty() ? spec.working_directory : image.working_dir;
}

Result<ContainerIdentity> identity_of(const store::Store& store, const IdentityOwner& owner) {
  const std::string& working_directory = working_directory_of(owner.spec, owner.config);
  const AccountFiles files{owner.image.passwd, owner.image.group};
  Accounts accounts = TRY(accounts_of(owner.spec, files, working_directory));
  ResolvedUser user =
      TRY(user_of(owner.spec, owner.config.user, accounts.files(), owner.users, owner.groups));
  Identity identity = TRY(identity_for(store,
                                       {.image_id = owner.image.id,
                                        .files = files,
                                        .user = user,
                                        .working_directory = working_directory,
                                        .wanted = accounts.wanted_by(user),
                                        .container = owner.container},
                                       [&] { return store::LayerStack::open(store, owner.image.layers); }));
  return ContainerIdentity{std::move(accounts), std::move(user), std::move(identity)};
}

}  // namespace berth::engine
