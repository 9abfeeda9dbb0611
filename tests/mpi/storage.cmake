if(NOT TARGET kernmill_storage)
  return()
endif()
include(KernmillMpi)
find_package(fmt REQUIRED)
kernmill_mpi_test(storage RANKS 1 2 3 4
  SOURCES ${CMAKE_CURRENT_LIST_DIR}/storage_dataset_test.cpp ${CMAKE_CURRENT_LIST_DIR}/storage_model_test.cpp
          ${CMAKE_CURRENT_LIST_DIR}/storage_faults_test.cpp ${CMAKE_CURRENT_LIST_DIR}/storage_sealed_test.cpp ${CMAKE_CURRENT_LIST_DIR}/storage_encryption_test.cpp
          ${CMAKE_CURRENT_LIST_DIR}/storage_version_test.cpp
          ${CMAKE_CURRENT_LIST_DIR}/storage_checkpoint_test.cpp ${CMAKE_CURRENT_LIST_DIR}/storage_boxes_test.cpp
  LINK kernmill::storage fmt::fmt hdf5::hdf5
  DEFINES KERNMILL_TEST_FILES="${CMAKE_CURRENT_LIST_DIR}/files")
kernmill_mpi_test(layouts RANKS 8 SOURCES ${CMAKE_CURRENT_LIST_DIR}/storage_layouts_test.cpp LINK kernmill::storage fmt::fmt)
