# One interface target that every target of ours links: the language level, the warnings, the hardening.
add_library(berth_options INTERFACE)
target_compile_options(berth_options INTERFACE
  -Wall -Wextra -Werror -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wnon-virtual-dtor
  -Woverloaded-virtual -Wnull-dereference -Wcast-align -Wundef
  -Wno-missing-field-initializers  # designated initialisers leave the rest at their defaults on purpose
  -Wno-pedantic                    # TRY is a statement expression, which g++ and clang++ both have
  -fstack-protector-strong -ffunction-sections -fdata-sections)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # All have false positives in inlined library code of g++ 12 at -O2 and -O3.
  target_compile_options(berth_options INTERFACE -Wno-null-dereference -Wno-maybe-uninitialized -Wno-restrict)
else()
  # std::stable_sort of libstdc++ 12 uses a function that it says is deprecated.
  target_compile_options(berth_options INTERFACE -Wno-deprecated-declarations)
endif()
target_link_options(berth_options INTERFACE -Wl,--gc-sections -Wl,-z,relro,-z,now)
if(CMAKE_BUILD_TYPE STREQUAL "Release")
  target_compile_definitions(berth_options INTERFACE _FORTIFY_SOURCE=2)
endif()
if(BERTH_SANITIZE)
  target_compile_options(berth_options INTERFACE -fsanitize=${BERTH_SANITIZE} -fno-sanitize-recover=all
                         -fno-omit-frame-pointer)
  target_link_options(berth_options INTERFACE -fsanitize=${BERTH_SANITIZE})
endif()
if(BERTH_FUZZ)
  target_compile_options(berth_options INTERFACE -fsanitize=fuzzer-no-link)
endif()
if(BERTH_FAULT_POINTS)
  target_compile_definitions(berth_options INTERFACE BERTH_FAULT_POINTS)
endif()
find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
endif()
