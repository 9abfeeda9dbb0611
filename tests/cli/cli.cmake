if(NOT TARGET kernmill OR NOT TARGET kernmill-exec)
  return()
endif()

# The programs as they are, but for the place where they kill themselves.
add_executable(kernmill_dying cli/kernmill_dying.cpp)
target_link_libraries(kernmill_dying PRIVATE kernmill_flags kernmill::cli)
add_executable(kernmill_exec_dying cli/kernmill_exec_dying.cpp)
target_link_libraries(kernmill_exec_dying PRIVATE kernmill_flags kernmill::exec)

set(cli_defines KERNMILL="$<TARGET_FILE:kernmill>" KERNMILL_EXEC="$<TARGET_FILE:kernmill-exec>"
                KERNMILL_DYING="$<TARGET_FILE:kernmill_dying>" KERNMILL_EXEC_DYING="$<TARGET_FILE:kernmill_exec_dying>"
                WORKFLOWS="${CMAKE_CURRENT_LIST_DIR}/workflows" GOLDEN="${CMAKE_CURRENT_LIST_DIR}/golden")

kernmill_test(cli LABEL cli TIMEOUT 120
  SOURCES cli/audit_test.cpp cli/changes_test.cpp cli/damaged_run_test.cpp cli/doctor_test.cpp
          cli/gather_test.cpp cli/golden_test.cpp cli/hook_test.cpp cli/hostile_test.cpp cli/interrupt_test.cpp
          cli/kill_world.cpp cli/lost_results_test.cpp cli/many_instances_test.cpp cli/own_program_test.cpp
          cli/part_test.cpp cli/ported_workflows_test.cpp cli/pytorch_sweep_test.cpp cli/results_test.cpp
          cli/secrets_test.cpp cli/streams_test.cpp cli/terminal_test.cpp cli/trust_test.cpp support/program.cpp
  LINK kernmill::run DEFINES ${cli_defines} EXAMPLES="${PROJECT_SOURCE_DIR}/workflows")
kernmill_test(kill LABEL cli TIMEOUT 900
  SOURCES cli/kill_test.cpp cli/kill_world.cpp support/program.cpp
  LINK kernmill::run DEFINES ${cli_defines})
foreach(test IN ITEMS cli kill)
  target_include_directories(test_${test} PRIVATE "${CMAKE_CURRENT_LIST_DIR}")
  add_dependencies(test_${test} kernmill kernmill-exec kernmill_dying kernmill_exec_dying)
endforeach()

# What needs a whole installation.
if(TARGET kernmill-task AND TARGET kernmill-storage)
  add_library(crashing_hdf5 MODULE support/crashing_hdf5.cpp)
  target_link_libraries(crashing_hdf5 PRIVATE kernmill_flags)
  add_library(used_up_quota MODULE support/used_up_quota.cpp)
  target_link_libraries(used_up_quota PRIVATE kernmill_flags)
  kernmill_test(data_tool LABEL cli TIMEOUT 600
    SOURCES cli/data_test.cpp cli/doctor_io_test.cpp cli/examples_test.cpp cli/judged_file_test.cpp cli/small_disk_test.cpp cli/quota_test.cpp cli/training_test.cpp support/program.cpp
    LINK kernmill::run DEFINES ${cli_defines} DATA="${PROJECT_SOURCE_DIR}/workflows/data" EXAMPLES="${PROJECT_SOURCE_DIR}/workflows" SAMPLES="${PROJECT_SOURCE_DIR}/tests/hdf5_versions/files/hdf5-1.10.8"
            CRASHING_HDF5="$<TARGET_FILE:crashing_hdf5>" USED_UP_QUOTA="$<TARGET_FILE:used_up_quota>" KERNMILL_STORAGE="$<TARGET_FILE:kernmill-storage>"
            KERNMILL_TASK="$<TARGET_FILE:kernmill-task>" KERNMILL_SCHEMA="$<TARGET_FILE:kernmill-schema>")
  target_include_directories(test_data_tool PRIVATE "${CMAKE_CURRENT_LIST_DIR}")
  add_dependencies(test_data_tool kernmill kernmill-exec kernmill-task kernmill-storage kernmill-schema crashing_hdf5 used_up_quota)

  find_program(KERNMILL_SYSTEM_PYTHON NAMES python3 PATHS /usr/bin NO_DEFAULT_PATH)
  if(KERNMILL_SYSTEM_PYTHON)
    add_test(NAME Rivals.FindTheSameModels
             COMMAND "${KERNMILL_SYSTEM_PYTHON}" "${CMAKE_CURRENT_LIST_DIR}/beside_rivals.py" $<TARGET_FILE:kernmill>)
    set_tests_properties(Rivals.FindTheSameModels PROPERTIES LABELS cli TIMEOUT 600 PROCESSORS 2 SKIP_RETURN_CODE 77
      ENVIRONMENT "XDG_STATE_HOME=${CMAKE_BINARY_DIR}/state")
  endif()
endif()
