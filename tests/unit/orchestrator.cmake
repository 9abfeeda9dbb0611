if(NOT TARGET kernmill_report)
  return()
endif()
# Plug-ins to load, good and bad.
function(kernmill_test_plugin name)
  add_library(test_plugin_${name} MODULE unit/scheduler/plugins/${name}.cpp)
  target_link_libraries(test_plugin_${name} PRIVATE kernmill_flags ${ARGN})
  set_target_properties(test_plugin_${name} PROPERTIES SKIP_BUILD_RPATH ON)
endfunction()
add_library(kernmill_test_gone SHARED unit/scheduler/plugins/no_plugin.cpp)
kernmill_test_plugin(good kernmill::scheduler)
kernmill_test_plugin(wrong_version)
kernmill_test_plugin(no_plugin)
kernmill_test_plugin(needs_library kernmill_test_gone)

kernmill_unit_test(orchestrator FOLDERS base workflow plan os scheduler run report LINK kernmill::report TIMEOUT 600
  DEFINES KERNMILL_EXAMPLES="${CMAKE_CURRENT_LIST_DIR}/workflow/examples"
          KERNMILL_WORKFLOWS="${PROJECT_SOURCE_DIR}/workflows"
          KERNMILL_CHECK_SCHEMA="${CMAKE_CURRENT_LIST_DIR}/workflow/check_schema.py"
          KERNMILL_MISTAKES="${PROJECT_SOURCE_DIR}/tests/cli/diagnostics"
          GOOD_PLUGIN="$<TARGET_FILE:test_plugin_good>" WRONG_VERSION="$<TARGET_FILE:test_plugin_wrong_version>"
          NO_PLUGIN="$<TARGET_FILE:test_plugin_no_plugin>" NEEDS_LIBRARY="$<TARGET_FILE:test_plugin_needs_library>")
add_dependencies(test_orchestrator test_plugin_good test_plugin_wrong_version test_plugin_no_plugin
                 test_plugin_needs_library)
