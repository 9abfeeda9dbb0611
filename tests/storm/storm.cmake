if(NOT TARGET kernmill_slurm OR NOT TARGET kernmill-exec OR NOT TARGET kernmill-task)
  return()
endif()
set(here ${CMAKE_CURRENT_LIST_DIR})
kernmill_slurm_test(storm TIMEOUT 900
  SOURCES ${here}/storm_test.cpp ${here}/storm_run.cpp ${here}/storm_workflow.cpp ${here}/victims.cpp
  LINK kernmill::run
  DEFINES KERNMILL="$<TARGET_FILE:kernmill>" KERNMILL_SPANK_FILE="$<TARGET_FILE:kernmill_spank>"
          WORKFLOW_DATA="${PROJECT_SOURCE_DIR}/workflows/data"
  NEEDS kernmill_spank kernmill kernmill-exec kernmill-task)
