# coord_layer(<name> [SOURCES <file>...] [LINKS <target>...])
#
# The library coord_<name> (alias coord::<name>). LINKS are public: they tell what the layer stands on.
# A layer of headers alone is an INTERFACE library.
function(coord_layer name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;LINKS")
    if(arg_SOURCES)
        add_library(coord_${name} STATIC ${arg_SOURCES})
        target_link_libraries(coord_${name} PUBLIC ${arg_LINKS} PRIVATE coord::warnings)
        set(scope PUBLIC)
    else()
        add_library(coord_${name} INTERFACE)
        target_link_libraries(coord_${name} INTERFACE ${arg_LINKS})
        set(scope INTERFACE)
    endif()
    add_library(coord::${name} ALIAS coord_${name})
    target_include_directories(coord_${name} ${scope} "${PROJECT_SOURCE_DIR}/src" "${PROJECT_BINARY_DIR}/generated")
endfunction()

function(add_subdirectory_if_present folder)
    if(EXISTS "${CMAKE_CURRENT_SOURCE_DIR}/${folder}/CMakeLists.txt")
        add_subdirectory("${folder}")
    endif()
endfunction()
