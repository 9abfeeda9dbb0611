if(NOT TARGET kernmill_storage)
  return()
endif()
kernmill_test(storage_parts LABEL unit
  SOURCES ${CMAKE_CURRENT_LIST_DIR}/storage/cipher_test.cpp ${CMAKE_CURRENT_LIST_DIR}/storage/crc32c_test.cpp
          ${CMAKE_CURRENT_LIST_DIR}/storage/guard_test.cpp ${CMAKE_CURRENT_LIST_DIR}/storage/key_test.cpp
          ${PROJECT_SOURCE_DIR}/storage/tool/guard.cpp
  LINK kernmill::storage)
target_include_directories(test_storage_parts PRIVATE "${PROJECT_SOURCE_DIR}/tests/support")

kernmill_test(damaged LABEL unit TIMEOUT 7200
  SOURCES ${CMAKE_CURRENT_LIST_DIR}/storage/damaged_test.cpp ${PROJECT_SOURCE_DIR}/storage/tool/guard.cpp
  LINK kernmill::storage hdf5::hdf5 fmt::fmt)
target_include_directories(test_damaged PRIVATE "${PROJECT_SOURCE_DIR}/tests/support")
