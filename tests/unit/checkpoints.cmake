if(NOT TARGET kernmill_tasks)
  return()
endif()
include(KernmillMpi)
include(KernmillKokkos)
kernmill_test(checkpoints LABEL unit
  SOURCES ${CMAKE_CURRENT_LIST_DIR}/checkpoint_schedule_test.cpp ${CMAKE_CURRENT_LIST_DIR}/storage/retention_test.cpp
  LINK kernmill::tasks)
