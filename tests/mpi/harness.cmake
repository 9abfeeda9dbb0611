if(NOT TARGET kernmill_storage)
  return()
endif()
include(KernmillMpi)
find_package(fmt REQUIRED)
add_executable(fault_writer ${CMAKE_CURRENT_LIST_DIR}/fault_writer.cpp)
target_link_libraries(fault_writer PRIVATE kernmill_flags kernmill::storage MPI::MPI_CXX fmt::fmt)
kernmill_test(harness LABEL mpi TIMEOUT 3600
  SOURCES ${CMAKE_CURRENT_LIST_DIR}/storage_harness_test.cpp ${CMAKE_CURRENT_LIST_DIR}/../support/program.cpp
  LINK fmt::fmt
  DEFINES KERNMILL_FAULT_WRITER="$<TARGET_FILE:fault_writer>" KERNMILL_MPIEXEC="${MPIEXEC_EXECUTABLE}")
add_dependencies(test_harness fault_writer)
