if(NOT TARGET kernmill_tasks)
  return()
endif()
include(KernmillMpi)
kernmill_mpi_test(learn RANKS 1 2 3 4
  SOURCES ${CMAKE_CURRENT_LIST_DIR}/learn_world.cpp ${CMAKE_CURRENT_LIST_DIR}/learn_convex_test.cpp
  LINK kernmill::tasks
  DEFINES KERNMILL_DATA="${PROJECT_SOURCE_DIR}/workflows/data")
