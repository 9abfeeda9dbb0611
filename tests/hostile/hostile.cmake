if(NOT TARGET kernmill-task OR NOT TARGET kernmill-storage)
  return()
endif()
include(KernmillMpi)
find_package(fmt REQUIRED)
find_package(ZLIB REQUIRED)
find_package(nlohmann_json REQUIRED)
kernmill_test(hostile LABEL cli TIMEOUT 300
  SOURCES ${CMAKE_CURRENT_LIST_DIR}/hostile_test.cpp ${CMAKE_CURRENT_LIST_DIR}/hostile_files.cpp
          ${CMAKE_CURRENT_LIST_DIR}/hostile_inputs.cpp ${CMAKE_CURRENT_LIST_DIR}/hostile_typed.cpp ${CMAKE_CURRENT_LIST_DIR}/hdf5_tricks.cpp
          ${CMAKE_CURRENT_LIST_DIR}/watched_program.cpp ${PROJECT_SOURCE_DIR}/tests/support/mpi_main.cpp
  LINK kernmill::storage nlohmann_json::nlohmann_json hdf5::hdf5 ZLIB::ZLIB fmt::fmt
  DEFINES KERNMILL_TASK="$<TARGET_FILE:kernmill-task>" KERNMILL_STORAGE="$<TARGET_FILE:kernmill-storage>")
add_dependencies(test_hostile kernmill-task kernmill-storage)
