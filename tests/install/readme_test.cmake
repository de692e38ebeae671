# The README shows the sample as it stands.
file(READ "${readme}" text)
foreach(shown IN ITEMS main.cpp CMakeLists.txt)
    file(READ "${sample}/${shown}" content)
    string(FIND "${text}" "\n${content}```\n" place)
    if(place EQUAL -1)
        message(FATAL_ERROR "README.md does not show tests/install/sample/${shown} as it stands")
    endif()
endforeach()
