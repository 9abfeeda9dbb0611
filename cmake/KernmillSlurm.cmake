# kernmill::libslurm: the headers and the library of the Slurm that is installed, or that SLURM_ROOT names.
#
# Sets KERNMILL_SLURM_FOUND. The library's real file is part of what compiles, so that configuring again after an
# upgrade of Slurm compiles the plug-in anew.
find_path(SLURM_INCLUDE_DIR slurm/slurm.h HINTS ${SLURM_ROOT} $ENV{SLURM_ROOT} PATH_SUFFIXES include)
find_library(SLURM_LIBRARY slurm HINTS ${SLURM_ROOT} $ENV{SLURM_ROOT} PATH_SUFFIXES lib64 lib lib64/slurm lib/slurm)
mark_as_advanced(SLURM_INCLUDE_DIR SLURM_LIBRARY)

set(KERNMILL_SLURM_FOUND OFF)
if(SLURM_INCLUDE_DIR AND SLURM_LIBRARY)
  set(KERNMILL_SLURM_FOUND ON)
  file(REAL_PATH "${SLURM_LIBRARY}" slurm_file)
  add_library(kernmill_libslurm INTERFACE)
  target_include_directories(kernmill_libslurm SYSTEM INTERFACE "${SLURM_INCLUDE_DIR}")
  target_link_libraries(kernmill_libslurm INTERFACE "${SLURM_LIBRARY}" ${CMAKE_DL_LIBS})
  target_compile_definitions(kernmill_libslurm INTERFACE KERNMILL_LIBSLURM="${slurm_file}")
  add_library(kernmill::libslurm ALIAS kernmill_libslurm)
  message(STATUS "Slurm from ${SLURM_INCLUDE_DIR} and ${slurm_file}")
endif()
