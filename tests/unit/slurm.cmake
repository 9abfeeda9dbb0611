if(NOT TARGET kernmill_slurm)
  return()
endif()
kernmill_unit_test(slurm_parts FOLDERS slurm LINK kernmill_slurm_options kernmill_spank_parts)
