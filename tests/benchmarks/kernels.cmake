if(NOT TARGET kernmill_kernels)
  return()
endif()
find_package(benchmark QUIET)
if(benchmark_FOUND)
  add_executable(bench_kernels ${CMAKE_CURRENT_LIST_DIR}/kernels_benchmark.cpp)
  target_link_libraries(bench_kernels PRIVATE kernmill_flags kernmill::kernels benchmark::benchmark)
endif()

# Networks are made of kernels alone, so that they can be measured on a machine that has a GPU and nothing else.
find_package(fmt QUIET)
if(NOT fmt_FOUND)
  return()
endif()
set(networks ${PROJECT_SOURCE_DIR}/tasks/models/network)
add_executable(bench_device ${CMAKE_CURRENT_LIST_DIR}/bench_device.cpp ${networks}/activate.cpp ${networks}/dense.cpp
  ${networks}/dropout.cpp ${networks}/layer_norm.cpp ${networks}/loss.cpp ${networks}/network.cpp
  ${networks}/network_shape.cpp ${networks}/recurrent.cpp ${networks}/recurrent_units.cpp)
target_link_libraries(bench_device PRIVATE kernmill_flags kernmill::kernels fmt::fmt)
foreach(layer tasks storage)
  file(MAKE_DIRECTORY "${PROJECT_BINARY_DIR}/include/${layer}/kernmill")
  file(CREATE_LINK "${PROJECT_SOURCE_DIR}/${layer}" "${PROJECT_BINARY_DIR}/include/${layer}/kernmill/${layer}" SYMBOLIC)
  target_include_directories(bench_device PRIVATE "${PROJECT_BINARY_DIR}/include/${layer}")
endforeach()
