if(NOT TARGET kernmill_storage)
  return()
endif()
include(KernmillMpi)
find_package(fmt REQUIRED)
kernmill_mpi_test(storage RANKS 1 2 3 4
  SOURCES ${CMAKE_CURRENT_LIST_DIR}/storage_dataset_test.cpp ${CMAKE_CURRENT_LIST_DIR}/storage_model_test.cpp
          ${CMAKE_CURRENT_LIST_DIR}/storage_faults_test.cpp ${CMAKE_CURRENT_LIST_DIR}/storage_sealed_test.cpp ${CMAKE_CURRENT_LIST_DIR}/storage_encryption_test.cpp
          ${CMAKE_CURRENT_LIST_DIR}/storage_version_test.cpp ${CMAKE_CURRENT_LIST_DIR}/storage_types_test.cpp ${CMAKE_CURRENT_LIST_DIR}/storage_tensors_test.cpp
          ${CMAKE_CURRENT_LIST_DIR}/storage_checkpoint_test.cpp ${CMAKE_CURRENT_LIST_DIR}/storage_boxes_test.cpp
          ${CMAKE_CURRENT_LIST_DIR}/storage_transport_test.cpp
  LINK kernmill::storage fmt::fmt hdf5::hdf5
  DEFINES KERNMILL_TEST_FILES="${CMAKE_CURRENT_LIST_DIR}/files")
kernmill_mpi_test(layouts RANKS 8 SOURCES ${CMAKE_CURRENT_LIST_DIR}/storage_layouts_test.cpp ${CMAKE_CURRENT_LIST_DIR}/storage_transport_test.cpp LINK kernmill::storage fmt::fmt)

# The format as it is documented: what Kernmill wrote, read without it.
find_program(KERNMILL_SYSTEM_PYTHON NAMES python3 PATHS /usr/bin NO_DEFAULT_PATH)
if(KERNMILL_SYSTEM_PYTHON)
  set(files "${CMAKE_CURRENT_LIST_DIR}/files")
  add_test(NAME H5py.ReadsAPlainDataset
           COMMAND "${KERNMILL_SYSTEM_PYTHON}" "${CMAKE_CURRENT_LIST_DIR}/read_with_h5py.py" "${files}/iris_version_2.dataset.h5")
  add_test(NAME H5py.ReadsAnEncryptedDataset
           COMMAND "${KERNMILL_SYSTEM_PYTHON}" "${CMAKE_CURRENT_LIST_DIR}/read_with_h5py.py"
                   "${files}/iris_version_2_encrypted.dataset.h5" "${files}/iris_version_2.key")
  set_tests_properties(H5py.ReadsAPlainDataset H5py.ReadsAnEncryptedDataset PROPERTIES
    LABELS unit SKIP_RETURN_CODE 77)
endif()
