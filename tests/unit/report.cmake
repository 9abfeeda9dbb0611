if(NOT TARGET kernmill_report)
  return()
endif()
kernmill_test(report LABEL unit
  SOURCES
    unit/report/confusion_test.cpp
    unit/report/quantity_test.cpp
    unit/report/rank_ends_test.cpp
    unit/report/run_status_test.cpp
    unit/report/table_test.cpp
    unit/report/text_output_test.cpp
  LINK kernmill::report)
target_include_directories(test_report PRIVATE "${CMAKE_CURRENT_LIST_DIR}/../support")
