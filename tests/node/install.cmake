# Fetches what package-lock.json asks for, where it is not there yet.
if(EXISTS "${CMAKE_CURRENT_LIST_DIR}/node_modules/ws/package.json")
    return()
endif()
execute_process(
    COMMAND "${NPM}" ci --no-audit --no-fund
    WORKING_DIRECTORY "${CMAKE_CURRENT_LIST_DIR}"
    RESULT_VARIABLE failed)
if(failed)
    message(FATAL_ERROR "npm could not fetch the tests' packages: check the network or npm's registry, then run 'npm ci' in ${CMAKE_CURRENT_LIST_DIR}")
endif()
