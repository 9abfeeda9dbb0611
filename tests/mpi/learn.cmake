if(NOT TARGET kernmill_tasks)
  return()
endif()
include(KernmillMpi)
find_package(nlohmann_json REQUIRED)
find_package(fmt REQUIRED)
set(here ${CMAKE_CURRENT_LIST_DIR})
kernmill_mpi_test(learn RANKS 1 2 3 4
  SOURCES ${here}/learn_world.cpp ${here}/learn_convex_test.cpp ${here}/learn_encryption_test.cpp ${here}/learn_evaluate_test.cpp
          ${here}/learn_kmeans_test.cpp ${here}/learn_pca_test.cpp ${here}/learn_kernel_svm_test.cpp
          ${here}/learn_random_features_test.cpp ${here}/learn_monitor_test.cpp ${here}/learn_newton_test.cpp
          ${here}/learn_least_squares_test.cpp ${here}/learn_corner_test.cpp ${here}/learn_layers_test.cpp
          ${here}/learn_recurrent_test.cpp ${here}/learn_layouts_test.cpp
          ${here}/learn_evaluate_file_test.cpp ${here}/learn_network_test.cpp ${here}/learn_ranking_test.cpp
          ${here}/learn_sparse_test.cpp ${here}/learn_sums_test.cpp
          ${here}/learn_windows_test.cpp ${here}/learn_balance_test.cpp ${here}/learn_accumulate_test.cpp ${here}/learn_weights_test.cpp
          ${here}/words.cpp
  LINK kernmill::tasks
  DEFINES KERNMILL_DATA="${PROJECT_SOURCE_DIR}/workflows/data")
if(TARGET kernmill_workflow)
  target_sources(test_learn PRIVATE ${here}/learn_table_test.cpp)
  target_link_libraries(test_learn PRIVATE kernmill::workflow)
endif()
add_library(slow_read MODULE ${PROJECT_SOURCE_DIR}/tests/support/slow_read.cpp)
target_link_libraries(slow_read PRIVATE kernmill_flags)
kernmill_test(learn_interrupt LABEL mpi TIMEOUT 300
  SOURCES ${here}/learn_interrupt_test.cpp ${here}/learn_memory_test.cpp
  LINK nlohmann_json::nlohmann_json
  DEFINES KERNMILL_TASK="$<TARGET_FILE:kernmill-task>" KERNMILL_MPIEXEC="${MPIEXEC_EXECUTABLE}"
          KERNMILL_DATA="${PROJECT_SOURCE_DIR}/workflows/data" KERNMILL_SLOW_READ="$<TARGET_FILE:slow_read>")
add_dependencies(test_learn_interrupt kernmill-task slow_read)
add_test(NAME learn.8_ranks COMMAND ${MPIEXEC_EXECUTABLE} ${MPIEXEC_NUMPROC_FLAG} 8 $<TARGET_FILE:test_learn>
         --gtest_filter=Layouts.GiveOneModelInSingle)
set_tests_properties(learn.8_ranks PROPERTIES LABELS mpi TIMEOUT 300 PROCESSORS 8
  ENVIRONMENT "HYDRA_LAUNCHER=fork;MPIR_CVAR_ENABLE_HEAVY_YIELD=1;OPENBLAS_NUM_THREADS=1")
