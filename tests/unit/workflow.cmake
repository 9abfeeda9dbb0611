if(NOT TARGET kernmill::workflow)
  return()
endif()
set(folder "${CMAKE_CURRENT_LIST_DIR}/workflow")
kernmill_test(workflow LABEL unit
  SOURCES "${folder}/encryption_test.cpp" "${folder}/language_test.cpp" "${folder}/mutation_test.cpp" "${folder}/parser_test.cpp"
          "${folder}/schema_test.cpp"
  LINK kernmill::workflow
  DEFINES "KERNMILL_EXAMPLES=\"${folder}/examples\"" "KERNMILL_WORKFLOWS=\"${PROJECT_SOURCE_DIR}/workflows\""
          "KERNMILL_CHECK_SCHEMA=\"${folder}/check_schema.py\""
          "KERNMILL_MISTAKES=\"${PROJECT_SOURCE_DIR}/tests/cli/diagnostics\"")
target_include_directories(test_workflow PRIVATE "${PROJECT_SOURCE_DIR}/tests/support")
