if(NOT TARGET kernmill_storage)
  return()
endif()
include(KernmillMpi)
find_package(fmt REQUIRED)
find_package(nlohmann_json REQUIRED)
kernmill_test(hdf5_versions LABEL unit
  SOURCES ${CMAKE_CURRENT_LIST_DIR}/hdf5_versions_test.cpp ${CMAKE_CURRENT_LIST_DIR}/samples.cpp
          ${PROJECT_SOURCE_DIR}/storage/tool/describe.cpp ${PROJECT_SOURCE_DIR}/storage/tool/guard.cpp
          ${PROJECT_SOURCE_DIR}/storage/tool/rows.cpp ${PROJECT_SOURCE_DIR}/storage/tool/verify.cpp
  LINK kernmill::storage nlohmann_json::nlohmann_json fmt::fmt
  DEFINES KERNMILL_TEST_FILES="${CMAKE_CURRENT_LIST_DIR}/files")

# The same files, read by h5py.
find_program(KERNMILL_SYSTEM_PYTHON NAMES python3 PATHS /usr/bin NO_DEFAULT_PATH)
if(KERNMILL_SYSTEM_PYTHON)
  file(GLOB datasets CONFIGURE_DEPENDS "${CMAKE_CURRENT_LIST_DIR}/files/*/dataset.h5")
  set(read "${KERNMILL_SYSTEM_PYTHON}" "${PROJECT_SOURCE_DIR}/tests/mpi/read_with_h5py.py")
  foreach(dataset IN LISTS datasets)
    cmake_path(GET dataset PARENT_PATH folder)
    cmake_path(GET folder FILENAME version)
    add_test(NAME H5py.ReadsADatasetOf_${version} COMMAND ${read} "${dataset}")
    add_test(NAME H5py.ReadsAnEncryptedDatasetOf_${version}
             COMMAND ${read} "${folder}/dataset_encrypted.h5" "${CMAKE_CURRENT_LIST_DIR}/files/test.key")
    set_tests_properties(H5py.ReadsADatasetOf_${version} H5py.ReadsAnEncryptedDatasetOf_${version} PROPERTIES
      LABELS unit SKIP_RETURN_CODE 77)
  endforeach()
endif()
