if(NOT TARGET kernmill-exec)
  return()
endif()
add_executable(fake_task support/fake_task.cpp)
target_link_libraries(fake_task PRIVATE kernmill_flags nlohmann_json::nlohmann_json)
kernmill_test(exec LABEL unit
  SOURCES unit/exec/exec_command_test.cpp unit/exec/exec_reduce_test.cpp unit/exec/exec_stop_test.cpp
          unit/exec/exec_task_test.cpp support/exec_world.cpp
  LINK kernmill::exec fmt::fmt
  DEFINES KERNMILL_EXEC="$<TARGET_FILE:kernmill-exec>" FAKE_TASK="$<TARGET_FILE:fake_task>")
target_include_directories(test_exec PRIVATE "${CMAKE_CURRENT_LIST_DIR}/../support")
add_dependencies(test_exec kernmill-exec fake_task)
