if(NOT TARGET kernmill_slurm OR NOT TARGET kernmill-exec)
  return()
endif()
add_executable(bench_slurm benchmarks/slurm_bench.cpp slurm/submit_world.cpp slurm/slurm_world.cpp support/program.cpp)
target_include_directories(bench_slurm PRIVATE "${PROJECT_SOURCE_DIR}/tests/support" "${PROJECT_SOURCE_DIR}/tests/slurm")
target_link_libraries(bench_slurm PRIVATE kernmill_flags kernmill::report kernmill::run fmt::fmt GTest::gtest)
target_compile_definitions(bench_slurm PRIVATE KERNMILL="$<TARGET_FILE:kernmill>"
  KERNMILL_SOURCE_DIR="${PROJECT_SOURCE_DIR}" KERNMILL_SLURM_PLUGIN_FILE="$<TARGET_FILE:kernmill_slurm>")
add_dependencies(bench_slurm kernmill kernmill-exec kernmill_slurm)
