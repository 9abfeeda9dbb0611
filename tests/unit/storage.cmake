if(NOT TARGET kernmill_storage)
  return()
endif()
include(KernmillMpi)
kernmill_unit_test(storage_parts FOLDERS storage LINK kernmill::storage hdf5::hdf5 fmt::fmt TIMEOUT 7200)
target_sources(test_storage_parts PRIVATE
  "${PROJECT_SOURCE_DIR}/storage/tool/confine.cpp" "${PROJECT_SOURCE_DIR}/storage/tool/guard.cpp"
  "${PROJECT_SOURCE_DIR}/storage/tool/system_calls.cpp")
