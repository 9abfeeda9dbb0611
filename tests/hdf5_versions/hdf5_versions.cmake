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
    # Of format version 3, the types, whose numbers numpy has told (samples.cpp): sums of (row + 1) (column + 2) number.
    foreach(sample IN ITEMS float16=188244.0 bfloat16=188244.0 mixed=77180.97647058824 sparse=68103.0)
      string(REPLACE "=" ";" sample "${sample}")
      list(POP_FRONT sample type sum)
      if(NOT EXISTS "${folder}/dataset_${type}.h5")
        continue()
      endif()
      foreach(encrypted IN ITEMS "" "_encrypted")
        set(test H5py.Reads_${type}${encrypted}_of_${version})
        set(key)
        if(encrypted)
          set(key "${CMAKE_CURRENT_LIST_DIR}/files/test.key")
        endif()
        add_test(NAME ${test} COMMAND ${read} "${folder}/dataset_${type}${encrypted}.h5" ${key})
        set_tests_properties(${test} PROPERTIES LABELS unit SKIP_RETURN_CODE 77 PASS_REGULAR_EXPRESSION "20 rows, sum ${sum} ")
      endforeach()
    endforeach()
  endforeach()
endif()
