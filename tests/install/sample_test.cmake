# Installs the build to a prefix of its own, builds the sample against that, out of tree, and looks at what it says.
file(REMOVE_RECURSE "${work}")
set(prefix "${work}/prefix")

execute_process(COMMAND "${CMAKE_COMMAND}" --install "${build}" --prefix "${prefix}"
    OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)

foreach(program IN ITEMS coordination-daemon coordctl)
    execute_process(COMMAND "${prefix}/bin/${program}" --version OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
endforeach()

if(sanitize)
    set(flags "-DCMAKE_CXX_FLAGS=-fsanitize=${sanitize}")
endif()
execute_process(
    COMMAND "${CMAKE_COMMAND}" -S "${source}" -B "${work}/sample"
        "-DCMAKE_CXX_COMPILER=${compiler}" "-DCMAKE_BUILD_TYPE=${build_type}" "-DCMAKE_PREFIX_PATH=${prefix}" ${flags}
    COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND "${CMAKE_COMMAND}" --build "${work}/sample" COMMAND_ERROR_IS_FATAL ANY)

execute_process(COMMAND "${work}/sample/my-program" OUTPUT_VARIABLE said COMMAND_ERROR_IS_FATAL ANY)
set(expected "^task-assigned w1 {\"id\":\"task-1\",[^\n]*\"status\":\"assigned\"[^\n]*\n")
string(APPEND expected "task-completed w1 {[^\n]*\"result\":{\"output\":\"done\"}[^\n]*\n")
string(APPEND expected "worker-offline w1 {\"id\":\"w1\",[^\n]*\"status\":\"offline\"[^\n]*\n$")
if(NOT said MATCHES "${expected}")
    message(FATAL_ERROR "the sample said:\n${said}")
endif()
