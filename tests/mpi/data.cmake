if(NOT TARGET kernmill_tasks)
  return()
endif()
include(KernmillMpi)
find_package(nlohmann_json REQUIRED)
find_package(fmt REQUIRED)
kernmill_mpi_test(comm RANKS 1 2 3 SOURCES ${CMAKE_CURRENT_LIST_DIR}/data_comm_test.cpp LINK kernmill::tasks)
kernmill_mpi_test(data RANKS 1 2 3 4
  SOURCES ${CMAKE_CURRENT_LIST_DIR}/data_preprocess_test.cpp ${CMAKE_CURRENT_LIST_DIR}/data_bad_input_test.cpp
          ${CMAKE_CURRENT_LIST_DIR}/data_csv_test.cpp ${CMAKE_CURRENT_LIST_DIR}/data_deploy_test.cpp
          ${CMAKE_CURRENT_LIST_DIR}/data_weights_test.cpp
  LINK kernmill::tasks
  DEFINES KERNMILL_TEST_DATA="${PROJECT_SOURCE_DIR}/workflows/data")
kernmill_mpi_test(data_preparation RANKS 1 2 3 4 TIMEOUT 600
  SOURCES ${CMAKE_CURRENT_LIST_DIR}/data_pipeline_test.cpp ${CMAKE_CURRENT_LIST_DIR}/data_arrange_test.cpp
          ${CMAKE_CURRENT_LIST_DIR}/data_formats_test.cpp ${CMAKE_CURRENT_LIST_DIR}/data_kept_test.cpp
          ${CMAKE_CURRENT_LIST_DIR}/data_precision_test.cpp ${CMAKE_CURRENT_LIST_DIR}/data_sparse_test.cpp
  LINK kernmill::tasks hdf5::hdf5)
kernmill_mpi_test(data_fashion_mnist RANKS 2 TIMEOUT 300
  SOURCES ${CMAKE_CURRENT_LIST_DIR}/data_fashion_mnist_test.cpp LINK kernmill::tasks)
kernmill_test(task_program LABEL mpi TIMEOUT 120
  SOURCES ${CMAKE_CURRENT_LIST_DIR}/data_program_test.cpp
  LINK nlohmann_json::nlohmann_json
  DEFINES KERNMILL_TASK="$<TARGET_FILE:kernmill-task>" KERNMILL_MPIEXEC="${MPIEXEC_EXECUTABLE}"
          KERNMILL_TEST_STORAGE="$<TARGET_FILE:test_storage>" KERNMILL_TEST_DATA="${PROJECT_SOURCE_DIR}/workflows/data")
add_dependencies(test_task_program kernmill-task test_storage)
