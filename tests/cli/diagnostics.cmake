if(NOT TARGET kernmill::workflow)
  return()
endif()
kernmill_test(diagnostics LABEL cli
  SOURCES "${CMAKE_CURRENT_LIST_DIR}/diagnostics/diagnostics_test.cpp"
  LINK kernmill::workflow
  DEFINES "KERNMILL_GOLDEN_FOLDER=\"${CMAKE_CURRENT_LIST_DIR}/diagnostics\"")
