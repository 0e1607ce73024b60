// berth-runtime: the OCI runtime command line for other engines. This version has the name and the place
// only.
#include <cstdio>
#include <string_view>

int main(int argc, char** argv) {
  if (argc == 2 && std::string_view(argv[1]) == "--version") {
    std::puts("berth-runtime version " BERTH_VERSION);
    return std::fflush(stdout) == 0 ? 0 : 1;
  }
  std::fputs(
      "berth-runtime: the OCI runtime command line is not part of this version\n"
      "hint: `berth run` starts containers without it.\n",
      stderr);
  return 1;
}
