# KERNMILL_LAPACKE: the libraries of LAPACK's interface for C, and where its header lies.
include_guard(GLOBAL)
find_package(LAPACK REQUIRED)
find_path(LAPACKE_INCLUDE_DIR lapacke.h PATH_SUFFIXES openblas lapacke)
find_library(LAPACKE_LIBRARY NAMES lapacke openblas)
if(NOT LAPACKE_INCLUDE_DIR OR NOT LAPACKE_LIBRARY)
  message(FATAL_ERROR "LAPACKE, LAPACK's interface for C, was not found. On Debian: apt install liblapacke-dev; "
                      "elsewhere set LAPACKE_INCLUDE_DIR and LAPACKE_LIBRARY")
endif()
set(KERNMILL_LAPACKE ${LAPACKE_LIBRARY} ${LAPACK_LIBRARIES})
