// The flags of create and run.
#pragma once

#include "flags/flags.h"
#include "lifecycle/create.h"
#include "runtime_cli/command.h"

namespace berth::runtime_cli {

// What they are read into, until options_of() puts it together.
struct CreateFlags {
  std::string id;
  std::string bundle = ".";
  std::string config;
  std::string console_socket;
  std::string pid_file;
  int preserved = 0;
  bool no_pivot = false;
  bool no_new_keyring = false;
};

void declare(flags::Flags& line, CreateFlags& into);
Result<lifecycle::CreateOptions> options_of(const Invocation& invocation, const CreateFlags& flags);

}  // namespace berth::runtime_cli
