if(NOT TARGET kernmill_scheduler)
  return()
endif()
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

kernmill_test(cluster_loader LABEL unit
  SOURCES unit/scheduler/cluster_loader_test.cpp
  LINK kernmill::scheduler
  DEFINES GOOD_PLUGIN="$<TARGET_FILE:test_plugin_good>" WRONG_VERSION="$<TARGET_FILE:test_plugin_wrong_version>"
          NO_PLUGIN="$<TARGET_FILE:test_plugin_no_plugin>" NEEDS_LIBRARY="$<TARGET_FILE:test_plugin_needs_library>")
add_dependencies(test_cluster_loader test_plugin_good test_plugin_wrong_version test_plugin_no_plugin
                 test_plugin_needs_library)
