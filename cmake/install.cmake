# What `cmake --install` puts where, and the package for find_package(coordination-daemon).
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/coordination-daemon")

# coord_install_headers(<file under src>...)
#
# Goes to include/coordination/. Ours include each other from src/ ("net/daemon.hpp"); installed, they do so from
# there ("coordination/net/daemon.hpp"), so that nothing of them meets the folders of the program that includes them.
function(coord_install_headers)
    foreach(header IN LISTS ARGV)
        set(source "${PROJECT_SOURCE_DIR}/src/${header}")
        file(READ "${source}" text)
        string(REGEX MATCHALL "#include \"[^\"]+\"" includes "${text}")
        foreach(include IN LISTS includes)
            string(REGEX REPLACE "#include \"(.+)\"" "\\1" include "${include}")
            if(NOT include IN_LIST ARGV)
                message(FATAL_ERROR "  src/${header} is installed and includes ${include}, which is not: cmake/install.cmake lists them")
            endif()
        endforeach()
        string(REPLACE "#include \"" "#include \"coordination/" text "${text}")
        string(REGEX REPLACE "^coordination/" "" place "${header}")
        set(rewritten "${PROJECT_BINARY_DIR}/installed/${place}")
        file(CONFIGURE OUTPUT "${rewritten}" CONTENT "${text}" @ONLY)
        set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${source}")
        get_filename_component(folder "${place}" DIRECTORY)
        install(FILES "${rewritten}" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/coordination/${folder}")
    endforeach()
endfunction()

coord_install_headers(
    coordination/client.hpp
    coordination/daemon.hpp
    core/error.hpp
    core/text.hpp
    core/types.hpp
    net/client/assigned_task.hpp
    net/client/call_error.hpp
    net/client/client_error.hpp
    net/client/client_events.hpp
    net/client/client_metrics.hpp
    net/client/client_options.hpp
    net/client/client_thread.hpp
    net/client/connect.hpp
    net/client/coordination_client.hpp
    net/client/endpoint.hpp
    net/client/publication.hpp
    net/client/reply.hpp
    net/client/stoppable_sleep.hpp
    net/client/subscribe_options.hpp
    net/clock.hpp
    net/daemon.hpp
    net/embed/delivered_message.hpp
    net/embed/event.hpp
    net/embed/initiate.hpp
    net/embed/request.hpp
    net/endpoints.hpp
    net/manual_clock.hpp
    net/options.hpp
    net/run_by.hpp)

set_target_properties(coord_net PROPERTIES EXPORT_NAME daemon)
foreach(layer IN ITEMS core persist asio client)
    set_target_properties(coord_${layer} PROPERTIES EXPORT_NAME ${layer})
endforeach()
install(TARGETS coord_core coord_persist coord_asio coord_net coord_client
    EXPORT coordination-daemon-targets
    ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}"
    INCLUDES DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
install(TARGETS coordination-daemon coordctl RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}")

install(EXPORT coordination-daemon-targets NAMESPACE coordination:: DESTINATION "${package_dir}")
configure_package_config_file(cmake/coordination-daemon-config.cmake.in
    "${PROJECT_BINARY_DIR}/installed/coordination-daemon-config.cmake"
    INSTALL_DESTINATION "${package_dir}")
write_basic_package_version_file("${PROJECT_BINARY_DIR}/installed/coordination-daemon-config-version.cmake"
    COMPATIBILITY SameMajorVersion)
install(FILES
    "${PROJECT_BINARY_DIR}/installed/coordination-daemon-config.cmake"
    "${PROJECT_BINARY_DIR}/installed/coordination-daemon-config-version.cmake"
    cmake/Findxxhash.cmake
    DESTINATION "${package_dir}")
