# coord_layer(<name> SOURCES <file>... [LINKS <target>...])
#
# The library coord_<name> (alias coord::<name>). LINKS are public: they tell what the layer stands on.
function(coord_layer name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;LINKS")
    add_library(coord_${name} STATIC ${arg_SOURCES})
    add_library(coord::${name} ALIAS coord_${name})
    target_link_libraries(coord_${name} PUBLIC ${arg_LINKS} PRIVATE "$<BUILD_INTERFACE:coord::warnings>")
    target_include_directories(coord_${name} PUBLIC
        "$<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/src>"
        "$<BUILD_INTERFACE:${PROJECT_BINARY_DIR}/generated>")
    target_compile_features(coord_${name} PUBLIC cxx_std_20)
endfunction()
