# berth_library(NAME [PARTS folder...] [DEPS folder...] [LIBS target...]): the library of src/NAME.
#
# A library that is too large for one folder has PARTS, folders inside it, in the order in which they may use one
# another; what stands in src/NAME itself uses all of them (scripts/check-includes).
#
# A folder sees its own headers and those of the folders that it names in DEPS (and, through them, theirs), each by
# "folder/file.h". The include path of a folder is a directory that holds nothing but a link to that folder, so an
# include that the design does not allow fails to compile.
function(berth_library name)
  cmake_parse_arguments(ARG "" "" "PARTS;DEPS;LIBS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${name}/*.cc)
  foreach(part ${ARG_PARTS})
    file(GLOB part_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${name}/${part}/*.cc)
    list(APPEND sources ${part_sources})
  endforeach()
  set(include_root ${CMAKE_BINARY_DIR}/include/${name})
  file(MAKE_DIRECTORY ${include_root})
  file(CREATE_LINK ${CMAKE_SOURCE_DIR}/src/${name} ${include_root}/${name} SYMBOLIC)
  if(sources)
    add_library(berth_${name} STATIC ${sources})
    berth_use_precompiled(berth_${name} berth_precompiled_code)
    set(scope PUBLIC)
  else()
    add_library(berth_${name} INTERFACE)
    set(scope INTERFACE)
  endif()
  # -iquote, not -I: src/sys/file.h must not stand in for the system's <sys/file.h>.
  target_compile_options(berth_${name} ${scope} "SHELL:-iquote ${include_root}")
  target_link_libraries(berth_${name} ${scope} berth_options ${ARG_LIBS})
  foreach(dep ${ARG_DEPS})
    target_link_libraries(berth_${name} ${scope} berth_${dep})
  endforeach()
endfunction()
