// Lists the descriptors of the given processes of the container: "self: 0 1 2".
#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include <dirent.h>

int main(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    DIR* directory = ::opendir(("/proc/" + std::string(argv[i]) + "/fd").c_str());
    if (directory == nullptr) {
      std::printf("%s: closed to us\n", argv[i]);
      continue;
    }
    std::vector<int> numbers;
    const bool own = std::string(argv[i]) == "self";
    while (const dirent* entry = ::readdir(directory)) {
      if (entry->d_name[0] == '.') continue;
      const int number = std::stoi(entry->d_name);
      if (!own || number != ::dirfd(directory)) numbers.push_back(number);
    }
    ::closedir(directory);
    std::sort(numbers.begin(), numbers.end());
    std::printf("%s:", argv[i]);
    for (const int number : numbers) std::printf(" %d", number);
    std::printf("\n");
  }
  return 0;
}
