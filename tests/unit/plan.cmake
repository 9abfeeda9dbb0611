if(NOT TARGET kernmill::plan)
  return()
endif()
set(plan_tests plan_test plan_combinations_test plan_json_test plan_number_set_test plan_resource_sets_test plan_search_space_test progress_test
               progress_failure_test progress_random_test progress_resume_test progress_skip_test)
list(TRANSFORM plan_tests REPLACE "(.+)" "${CMAKE_CURRENT_LIST_DIR}/\\1.cpp")
kernmill_test(plan LABEL unit SOURCES ${plan_tests} LINK kernmill::plan)
target_include_directories(test_plan PRIVATE "${CMAKE_CURRENT_LIST_DIR}/../support")
