if(NOT TARGET kernmill_slurm OR NOT TARGET kernmill-exec)
  return()
endif()
kernmill_slurm_test(slurm_packed SOURCES slurm/packed_test.cpp slurm/submit_world.cpp
  LINK kernmill::run
  DEFINES KERNMILL="$<TARGET_FILE:kernmill>" KERNMILL_DYING="$<TARGET_FILE:kernmill_dying>"
  NEEDS kernmill kernmill-exec kernmill_dying)
