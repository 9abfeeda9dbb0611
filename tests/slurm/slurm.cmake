if(NOT TARGET kernmill_slurm)
  return()
endif()
# kernmill_slurm_test(NAME SOURCES file... [LINK target...]): tests that start a Slurm cluster of their own.
function(kernmill_slurm_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "TIMEOUT" "SOURCES;LINK;DEFINES;NEEDS")
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 300)
  endif()
  kernmill_test(${name} LABEL slurm TIMEOUT ${arg_TIMEOUT}
    SOURCES ${arg_SOURCES} slurm/slurm_world.cpp support/program.cpp
    LINK kernmill::scheduler ${arg_LINK}
    DEFINES KERNMILL_SOURCE_DIR="${PROJECT_SOURCE_DIR}"
            KERNMILL_SLURM_PLUGIN_FILE="$<TARGET_FILE:kernmill_slurm>" ${arg_DEFINES})
  target_include_directories(test_${name} PRIVATE "${PROJECT_SOURCE_DIR}/tests/slurm")
  add_dependencies(test_${name} kernmill_slurm ${arg_NEEDS})
endfunction()

kernmill_slurm_test(slurm_plugin SOURCES slurm/cluster_start_test.cpp slurm/plugin_test.cpp slurm/plugin_faults_test.cpp slurm/same_job_test.cpp)
if(TARGET kernmill_run)
  kernmill_slurm_test(spank SOURCES slurm/spank_test.cpp LINK kernmill::run NEEDS kernmill_spank
    DEFINES KERNMILL_SPANK_FILE="$<TARGET_FILE:kernmill_spank>")
endif()

if(TARGET kernmill-exec)
  kernmill_slurm_test(slurm_submit SOURCES slurm/submit_test.cpp slurm/changes_test.cpp slurm/growth_test.cpp slurm/faults_test.cpp slurm/generations_test.cpp slurm/lost_results_test.cpp
            slurm/submit_world.cpp
    LINK kernmill::run
    DEFINES KERNMILL="$<TARGET_FILE:kernmill>" KERNMILL_DYING="$<TARGET_FILE:kernmill_dying>"
    NEEDS kernmill kernmill-exec kernmill_dying)
  kernmill_slurm_test(slurm_health SOURCES slurm/stall_test.cpp slurm/bad_nodes_test.cpp slurm/submit_world.cpp
    LINK kernmill::run TIMEOUT 600
    DEFINES KERNMILL="$<TARGET_FILE:kernmill>" KERNMILL_DYING="$<TARGET_FILE:kernmill_dying>" NEEDS kernmill kernmill-exec)
  kernmill_slurm_test(slurm_resources SOURCES slurm/own_program_test.cpp slurm/resources_test.cpp slurm/submit_world.cpp LINK kernmill::run
    DEFINES KERNMILL="$<TARGET_FILE:kernmill>" KERNMILL_DYING="$<TARGET_FILE:kernmill_dying>" NEEDS kernmill kernmill-exec)
endif()
if(TARGET kernmill-exec AND TARGET kernmill-task)
  kernmill_slurm_test(slurm_examples SOURCES slurm/examples_test.cpp slurm/two_nodes_test.cpp slurm/submit_world.cpp
    LINK kernmill::run DEFINES KERNMILL="$<TARGET_FILE:kernmill>" NEEDS kernmill kernmill-exec kernmill-task)
  kernmill_slurm_test(slurm_doctor SOURCES slurm/doctor_test.cpp LINK kernmill::run
    DEFINES KERNMILL="$<TARGET_FILE:kernmill>" NEEDS kernmill kernmill-exec)
endif()
