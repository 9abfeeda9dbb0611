if(NOT TARGET kernmill_run)
  return()
endif()
kernmill_test(run LABEL unit
  SOURCES unit/run/cluster_check_test.cpp unit/run/slurm_notation_test.cpp unit/run/journal_test.cpp unit/run/run_directory_test.cpp
          unit/scheduler/process_test.cpp unit/scheduler/local_scheduler_test.cpp
  LINK kernmill::run)
target_include_directories(test_run PRIVATE "${CMAKE_CURRENT_LIST_DIR}/../support")
