if(NOT TARGET kernmill_tasks)
  return()
endif()
include(KernmillMpi)
include(KernmillKokkos)
find_package(fmt REQUIRED)
add_executable(bench_checkpoint ${CMAKE_CURRENT_LIST_DIR}/bench_checkpoint.cpp ${CMAKE_CURRENT_LIST_DIR}/files.cpp
                                ${CMAKE_CURRENT_LIST_DIR}/rivals.cpp)
target_link_libraries(bench_checkpoint PRIVATE kernmill_flags kernmill::tasks fmt::fmt)
