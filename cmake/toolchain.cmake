# What holds for every target: linker, compiler cache, sanitizers, and the warnings to link against.

set(COORD_SANITIZE "" CACHE STRING "Sanitizers for -fsanitize, separated by commas; empty: none")

if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    add_link_options(-fuse-ld=lld)
    # A precompiled header that names no time is the same bytes each time, so ccache may keep what used it.
    add_compile_options("SHELL:-Xclang -fno-pch-timestamp")
endif()

find_program(COORD_CCACHE ccache)
if(COORD_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
    set(CMAKE_CXX_COMPILER_LAUNCHER
        "${CMAKE_COMMAND}" -E env CCACHE_SLOPPINESS=pch_defines,time_macros "${COORD_CCACHE}")
endif()

if(COORD_SANITIZE)
    add_compile_options("-fsanitize=${COORD_SANITIZE}" -fno-sanitize-recover=all -fno-omit-frame-pointer)
    add_link_options("-fsanitize=${COORD_SANITIZE}")
endif()

add_library(coord_warnings INTERFACE)
add_library(coord::warnings ALIAS coord_warnings)
target_compile_options(coord_warnings INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror)
