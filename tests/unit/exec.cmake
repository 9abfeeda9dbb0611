if(NOT TARGET kernmill-exec)
  return()
endif()
add_executable(fake_task support/fake_task.cpp)
target_link_libraries(fake_task PRIVATE kernmill_flags nlohmann_json::nlohmann_json)
# Jobs of a submitted run, with a batch system of files.
add_executable(kernmill_exec_on_fake_cluster support/kernmill_exec_on_fake_cluster.cpp)
target_link_libraries(kernmill_exec_on_fake_cluster PRIVATE kernmill_flags kernmill::exec)
kernmill_unit_test(exec FOLDERS exec SUPPORT batch_world exec_world pack_world LINK kernmill::exec fmt::fmt
  DEFINES KERNMILL_EXEC="$<TARGET_FILE:kernmill-exec>" FAKE_TASK="$<TARGET_FILE:fake_task>"
          KERNMILL_EXEC_ON_FAKE_CLUSTER="$<TARGET_FILE:kernmill_exec_on_fake_cluster>"
          FAKE_SRUN_FOLDER="${PROJECT_SOURCE_DIR}/tests/support/fake_srun")
add_dependencies(test_exec kernmill-exec kernmill_exec_on_fake_cluster fake_task)
