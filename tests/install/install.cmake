# Installs the build into a folder of its own, then configures, builds and runs a project that finds it there.
foreach(target IN ITEMS kernmill_orchestrator kernmill_storage kernmill_kernels)
  if(NOT TARGET ${target})
    return()
  endif()
endforeach()
set(prefix "${PROJECT_BINARY_DIR}/install_test/prefix")
set(consumer "${PROJECT_BINARY_DIR}/install_test/build")
add_test(NAME Install.InstallsIntoAPrefix
         COMMAND ${CMAKE_COMMAND} --install ${PROJECT_BINARY_DIR} --prefix ${prefix})
add_test(NAME Install.AConsumerConfigures
         COMMAND ${CMAKE_COMMAND} --fresh -G Ninja -S ${CMAKE_CURRENT_LIST_DIR}/consumer -B ${consumer}
                 -DCMAKE_PREFIX_PATH=${prefix} -DCMAKE_CXX_COMPILER=${CMAKE_CXX_COMPILER})
add_test(NAME Install.AConsumerBuilds COMMAND ${CMAKE_COMMAND} --build ${consumer})
add_test(NAME Install.AConsumerRuns COMMAND ${consumer}/consumer)
add_test(NAME Install.TheInstalledProgramAnswers COMMAND ${prefix}/${CMAKE_INSTALL_BINDIR}/kernmill version)
set_tests_properties(Install.InstallsIntoAPrefix PROPERTIES FIXTURES_SETUP installed)
set_tests_properties(Install.AConsumerConfigures PROPERTIES FIXTURES_REQUIRED installed FIXTURES_SETUP configured)
set_tests_properties(Install.AConsumerBuilds PROPERTIES FIXTURES_REQUIRED configured FIXTURES_SETUP built)
set_tests_properties(Install.AConsumerRuns PROPERTIES FIXTURES_REQUIRED built
                     PASS_REGULAR_EXPRESSION "6 instances, rank 1 of 4 holds rows 3 to 6")
set_tests_properties(Install.TheInstalledProgramAnswers PROPERTIES FIXTURES_REQUIRED installed
                     PASS_REGULAR_EXPRESSION "kernmill +${PROJECT_VERSION}")
set_tests_properties(Install.InstallsIntoAPrefix Install.AConsumerConfigures Install.AConsumerBuilds
                     Install.AConsumerRuns Install.TheInstalledProgramAnswers
                     PROPERTIES LABELS install TIMEOUT 300)

get_property(programs GLOBAL PROPERTY KERNMILL_PROGRAMS)
if(KERNMILL_HARDEN AND NOT KERNMILL_SANITIZE AND NOT CMAKE_BUILD_TYPE STREQUAL "Debug" AND programs)
  list(TRANSFORM programs REPLACE "(.+)" "$<TARGET_FILE:\\1>" OUTPUT_VARIABLE files)
  add_test(NAME Install.ProgramsAreHardened COMMAND "${CMAKE_CURRENT_LIST_DIR}/hardened.sh" ${files})
  set_tests_properties(Install.ProgramsAreHardened PROPERTIES LABELS install)
endif()
