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

# Jobs of a submitted run, with a batch system of files.
add_executable(kernmill_exec_on_fake_cluster support/kernmill_exec_on_fake_cluster.cpp)
target_link_libraries(kernmill_exec_on_fake_cluster PRIVATE kernmill_flags kernmill::exec)
kernmill_test(element LABEL unit
  SOURCES unit/exec/closing_test.cpp unit/exec/consequences_test.cpp unit/exec/element_launch_test.cpp
          unit/exec/element_retry_test.cpp unit/exec/element_test.cpp support/batch_world.cpp support/exec_world.cpp
  LINK kernmill::exec fmt::fmt
  DEFINES KERNMILL_EXEC="$<TARGET_FILE:kernmill-exec>" FAKE_TASK="$<TARGET_FILE:fake_task>"
          KERNMILL_EXEC_ON_FAKE_CLUSTER="$<TARGET_FILE:kernmill_exec_on_fake_cluster>"
          FAKE_SRUN_FOLDER="${CMAKE_CURRENT_LIST_DIR}/../support/fake_srun")
target_include_directories(test_element PRIVATE "${CMAKE_CURRENT_LIST_DIR}/../support")
add_dependencies(test_element kernmill-exec kernmill_exec_on_fake_cluster fake_task)
