if(NOT TARGET kernmill_run)
  return()
endif()
kernmill_test(conductor LABEL unit
  SOURCES
    unit/conductor/conductor_test.cpp
    unit/conductor/conductor_gate_test.cpp
    unit/conductor/conductor_retry_test.cpp
    unit/conductor/conductor_stop_test.cpp
    unit/conductor/conductor_lock_test.cpp
    unit/conductor/resume_test.cpp
  LINK kernmill::run)
target_include_directories(test_conductor PRIVATE "${CMAKE_CURRENT_LIST_DIR}/../support")
