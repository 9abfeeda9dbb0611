if(NOT TARGET kernmill_tasks)
  return()
endif()
include(KernmillMpi)
include(KernmillKokkos)
kernmill_test(csv LABEL unit
  SOURCES ${CMAKE_CURRENT_LIST_DIR}/csv_test.cpp ${CMAKE_CURRENT_LIST_DIR}/csv_mutation_test.cpp
          ${CMAKE_CURRENT_LIST_DIR}/csv_rows_test.cpp ${CMAKE_CURRENT_LIST_DIR}/exact_sum_test.cpp
          ${CMAKE_CURRENT_LIST_DIR}/row_store_test.cpp ${CMAKE_CURRENT_LIST_DIR}/scratch_file_test.cpp
  LINK kernmill::tasks)
target_include_directories(test_csv PRIVATE "${PROJECT_SOURCE_DIR}/tests/support")
kernmill_test(row_order LABEL unit SOURCES ${CMAKE_CURRENT_LIST_DIR}/row_order_test.cpp LINK kernmill::tasks)
kernmill_test(reading LABEL unit SOURCES ${CMAKE_CURRENT_LIST_DIR}/reading_test.cpp LINK kernmill::tasks)
