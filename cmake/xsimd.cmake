# xsimd >= 13 as the target attention_xsimd: the system's, else a pinned download.
# Emscripten's compiler does not search /usr/include and must not (the rest of it is the host's), so its headers are
# reached through a link of their own inside the build tree.
add_library(attention_xsimd INTERFACE)

find_path(XSIMD_ROOT xsimd/xsimd.hpp PATHS /usr/include /usr/local/include NO_CMAKE_FIND_ROOT_PATH)
if(XSIMD_ROOT)
  file(STRINGS ${XSIMD_ROOT}/xsimd/config/xsimd_config.hpp major REGEX "define XSIMD_VERSION_MAJOR")
  string(REGEX MATCH "[0-9]+" major "${major}")
endif()

if(XSIMD_ROOT AND major GREATER_EQUAL 13)
  file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/xsimd)
  file(CREATE_LINK ${XSIMD_ROOT}/xsimd ${CMAKE_BINARY_DIR}/xsimd/xsimd SYMBOLIC)
  target_include_directories(attention_xsimd SYSTEM INTERFACE ${CMAKE_BINARY_DIR}/xsimd)
else()
  include(FetchContent)
  FetchContent_Declare(xsimd
    GIT_REPOSITORY https://github.com/xtensor-stack/xsimd.git
    GIT_TAG 13.2.0)
  FetchContent_MakeAvailable(xsimd)
  target_include_directories(attention_xsimd SYSTEM INTERFACE ${xsimd_SOURCE_DIR}/include)
endif()
