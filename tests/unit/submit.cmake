if(NOT TARGET kernmill_run)
  return()
endif()
kernmill_test(submit LABEL unit
  SOURCES unit/submit/batch_job_test.cpp unit/submit/estimate_test.cpp unit/submit/index_ranges_test.cpp unit/submit/job_plan_test.cpp
          unit/submit/packing_test.cpp unit/submit/submission_test.cpp
  LINK kernmill::run fmt::fmt)
target_include_directories(test_submit PRIVATE "${CMAKE_CURRENT_LIST_DIR}/../support")
