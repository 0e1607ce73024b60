# The headers that most files include, compiled once: for builds that are made often. Every file includes what it uses
# all the same; the releases and clang-tidy build without.
option(BERTH_PRECOMPILE "Precompile common headers" OFF)
set(BERTH_COMMON_HEADERS
    <algorithm> <array> <cerrno> <chrono> <cstdint> <expected> <functional> <map> <memory> <optional> <set> <span>
    <string> <string_view> <utility> <vector> <fcntl.h> <sys/stat.h> <unistd.h> <fmt/format.h> <fmt/ranges.h>)

# berth_precompiled(TARGET [header...] [LIBS target...]): makes the common headers, and these, for others.
function(berth_precompiled target)
  cmake_parse_arguments(ARG "" "" "LIBS" ${ARGN})
  if(NOT BERTH_PRECOMPILE)
    return()
  endif()
  file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/${target}.cc CONTENT "// Has nothing but precompiled headers.\n")
  add_library(${target} OBJECT ${CMAKE_BINARY_DIR}/${target}.cc)
  target_link_libraries(${target} PRIVATE berth_options ${ARG_LIBS})
  target_precompile_headers(${target} PRIVATE ${BERTH_COMMON_HEADERS} ${ARG_UNPARSED_ARGUMENTS})
endfunction()

# berth_use_precompiled(TARGET FROM): FROM's headers for TARGET.
function(berth_use_precompiled target from)
  if(BERTH_PRECOMPILE)
    target_precompile_headers(${target} REUSE_FROM ${from})
  endif()
endfunction()

if(BERTH_PRECOMPILE AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # False positives in library code that is inlined, which g++ no longer knows to be the library's. And for ccache(1),
  # "Precompiled headers".
  target_compile_options(berth_options INTERFACE -Wno-stringop-overflow -Wno-array-bounds -fpch-preprocess)
endif()
berth_precompiled(berth_precompiled_code)
