#include "lifecycle/seccomp_agent.h"

#include "lifecycle/send_descriptor.h"

namespace berth::lifecycle {

Result<> tell_agent(const Record& record, bundle::Status status, pid_t process,
                    const sys::UniqueFd& listener) {
  const std::string state =
      TRY(bundle::emit_container_process_state(state_of(record, status), process, record.seccomp_metadata));
  TRY_CONTEXT(send_descriptor(record.seccomp_agent, listener, state),
              "config.json: linux.seccomp.listenerPath: tell the seccomp agent");
  return {};
}

}  // namespace berth::lifecycle
