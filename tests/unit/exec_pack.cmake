if(NOT TARGET kernmill-exec)
  return()
endif()
kernmill_test(pack LABEL unit
  SOURCES unit/exec/pack_test.cpp unit/exec/pack_fault_test.cpp unit/exec/pack_parts_test.cpp support/pack_world.cpp
  LINK kernmill::exec
  DEFINES FAKE_TASK="$<TARGET_FILE:fake_task>")
target_include_directories(test_pack PRIVATE "${CMAKE_CURRENT_LIST_DIR}/../support")
add_dependencies(test_pack fake_task)
