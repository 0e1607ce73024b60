// `berth tag` and `berth untag`.
#include "cli/flags.h"
#include "cli/images.h"
#include "engine/container/announce.h"
#include "store/images.h"
#include "store/local_name.h"

namespace berth::cli {

Result<int> tag_image(const Invocation& invocation) {
  std::string source;
  std::vector<std::string> targets;
  Flags line(invocation, "IMAGE NAME [NAME...]",
             "Gives an image more names. A name that another image had moves to this one.",
             "  berth tag busybox registry.example.org/team/busybox:1.36\n");
  line.word("image", source, Need::required);
  line.words("names", targets, Need::required);
  if (!TRY(line.parse())) return 0;
  std::vector<std::string> names;
  for (const std::string& target : targets) {
    names.push_back(TRY_CONTEXT(store::local_name(target), "cannot tag \"{}\"", source));
  }
  store::Store store = TRY(open_store(invocation));
  const store::ImageRecord image = TRY_CONTEXT(store::find_image(store, source), "cannot tag \"{}\"", source);
  for (const std::string& name : names) {
    TRY(store::tag_image(store, image.id, name));
    engine::announce_image(store, events::kTag, image.id, name);
  }
  return 0;
}

Result<int> untag_image(const Invocation& invocation) {
  std::string source;
  std::vector<std::string> names;
  Flags line(invocation, "IMAGE [NAME...]", "Takes names away from an image; without NAME all of them.",
             "  berth untag busybox registry.example.org/team/busybox:1.36\n");
  line.word("image", source, Need::required);
  line.words("names", names, Need::optional);
  if (!TRY(line.parse())) return 0;
  store::Store store = TRY(open_store(invocation));
  const store::ImageRecord image =
      TRY_CONTEXT(store::find_image(store, source), "cannot untag \"{}\"", source);
  std::vector<std::string> full_names;
  for (const std::string& name : names) {
    const store::ImageRecord named =
        TRY_CONTEXT(store::find_image(store, name), "cannot untag \"{}\"", source);
    if (named.id != image.id || named.name.empty()) {
      return fail(Code::not_found, "cannot untag \"{}\": \"{}\" is not a name of it", source, name);
    }
    full_names.push_back(named.name);
  }
  if (names.empty()) full_names = TRY(store::image_names(store, image.id));
  for (const std::string& name : full_names) {
    TRY(store::untag_image(store, name));
    engine::announce_image(store, events::kUntag, image.id, name);
  }
  return 0;
}

}  // namespace berth::cli
