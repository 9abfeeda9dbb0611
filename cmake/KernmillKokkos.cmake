# Kokkos::kokkos, from a site's own installation or a distribution's.
#
# Distribution packages ship configs that cannot be trusted (Debian 12 and 13 name a missing include folder, newer ones
# stop inside the config). So a config is used only when a small project of its own can configure, build and run with
# it; otherwise the target is made from the headers and libraries. One that was asked for by Kokkos_ROOT or Kokkos_DIR is
# used, or it is an error. With a GPU in it the small project is built alone: login nodes have none to run it on.
include_guard(GLOBAL)

function(kernmill_probe_kokkos result)
  set(probe "${PROJECT_BINARY_DIR}/CMakeFiles/kokkos_probe")
  file(REMOVE_RECURSE "${probe}")
  file(WRITE "${probe}/main.cpp"
       "#include <Kokkos_Core.hpp>\nint main(int c, char** v) { Kokkos::ScopeGuard guard(c, v); }\n")
  file(WRITE "${probe}/CMakeLists.txt" [[
cmake_minimum_required(VERSION 3.25)
project(kokkos_probe LANGUAGES CXX)
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_EXTENSIONS OFF)
find_package(Kokkos CONFIG REQUIRED)
add_executable(probe main.cpp)
target_link_libraries(probe PRIVATE Kokkos::kokkos)
if(NOT Kokkos_DEVICES MATCHES "CUDA|HIP|SYCL")
  add_custom_command(TARGET probe POST_BUILD COMMAND probe)
endif()
]])
  set(arguments)
  foreach(variable IN ITEMS CMAKE_CXX_COMPILER CMAKE_PREFIX_PATH CMAKE_TOOLCHAIN_FILE CMAKE_MAKE_PROGRAM Kokkos_DIR
                            Kokkos_ROOT)
    if(${variable})
      list(JOIN ${variable} "\\;" value)
      list(APPEND arguments "-D${variable}=${value}")
    endif()
  endforeach()
  execute_process(COMMAND "${CMAKE_COMMAND}" -G "${CMAKE_GENERATOR}" ${arguments} -S "${probe}" -B "${probe}/build"
                  RESULT_VARIABLE code OUTPUT_FILE "${probe}/configure.log" ERROR_FILE "${probe}/configure.log")
  if(code EQUAL 0)
    execute_process(COMMAND "${CMAKE_COMMAND}" --build "${probe}/build"
                    RESULT_VARIABLE code OUTPUT_FILE "${probe}/build.log" ERROR_FILE "${probe}/build.log")
  endif()
  if(code EQUAL 0)
    set(${result} ON PARENT_SCOPE)
  else()
    set(${result} OFF PARENT_SCOPE)
  endif()
endfunction()

function(kernmill_kokkos_from_files)
  find_path(KOKKOS_INCLUDE_DIR Kokkos_Core.hpp PATH_SUFFIXES kokkos trilinos)
  find_library(KOKKOS_CORE_LIBRARY NAMES kokkoscore trilinos_kokkoscore)
  find_library(KOKKOS_CONTAINERS_LIBRARY NAMES kokkoscontainers trilinos_kokkoscontainers)
  if(NOT KOKKOS_INCLUDE_DIR OR NOT KOKKOS_CORE_LIBRARY)
    message(FATAL_ERROR "Kokkos was not found. Install libtrilinos-kokkos-dev (Debian 12, 13) or libkokkos-dev, or set "
                        "Kokkos_ROOT to your own installation.")
  endif()
  file(STRINGS "${KOKKOS_INCLUDE_DIR}/KokkosCore_config.h" config
       REGEX "^#define KOKKOS_(VERSION [0-9]+|ENABLE_(OPENMP|THREADS|CUDA|HIP|SYCL))$")
  if(config MATCHES "ENABLE_(CUDA|HIP|SYCL)")
    message(FATAL_ERROR "${KOKKOS_INCLUDE_DIR} belongs to a GPU build of Kokkos, whose CMake config does not work: "
                        "set Kokkos_ROOT to an installation that does.")
  endif()
  set(libraries "${CMAKE_DL_LIBS}")
  if(KOKKOS_CONTAINERS_LIBRARY)
    list(PREPEND libraries "${KOKKOS_CONTAINERS_LIBRARY}")
  endif()
  if(config MATCHES "ENABLE_OPENMP")
    find_package(OpenMP REQUIRED COMPONENTS CXX)
    list(APPEND libraries OpenMP::OpenMP_CXX)
  elseif(config MATCHES "ENABLE_THREADS")
    find_package(Threads REQUIRED)
    list(APPEND libraries Threads::Threads)
  endif()
  add_library(Kokkos::kokkos UNKNOWN IMPORTED GLOBAL)
  set_target_properties(Kokkos::kokkos PROPERTIES IMPORTED_LOCATION "${KOKKOS_CORE_LIBRARY}"
    INTERFACE_INCLUDE_DIRECTORIES "${KOKKOS_INCLUDE_DIR}" INTERFACE_LINK_LIBRARIES "${libraries}")
endfunction()

if(NOT DEFINED KERNMILL_KOKKOS_CONFIG_WORKS)
  kernmill_probe_kokkos(works)
  if(NOT works AND (Kokkos_ROOT OR Kokkos_DIR OR DEFINED ENV{Kokkos_ROOT}))
    message(FATAL_ERROR "The Kokkos of Kokkos_ROOT or Kokkos_DIR (${Kokkos_ROOT}${Kokkos_DIR}$ENV{Kokkos_ROOT}) cannot be \
used: a program of one line does not build with it. See ${PROJECT_BINARY_DIR}/CMakeFiles/kokkos_probe/configure.log and \
build.log beside it.")
  endif()
  set(KERNMILL_KOKKOS_CONFIG_WORKS ${works} CACHE BOOL "Kokkos' own CMake config works")
endif()
if(KERNMILL_KOKKOS_CONFIG_WORKS)
  find_package(Kokkos CONFIG REQUIRED GLOBAL)
  message(STATUS "Kokkos ${Kokkos_VERSION} from ${Kokkos_DIR}")
  if(Kokkos_DEVICES MATCHES "CUDA|HIP|SYCL")
    set(KERNMILL_KOKKOS_HAS_GPU ON)
  endif()
  if(Kokkos_DEVICES MATCHES "OPENMP")
    set(KERNMILL_KOKKOS_HAS_OPENMP ON)
  endif()
else()
  kernmill_kokkos_from_files()
  if(TARGET OpenMP::OpenMP_CXX)
    set(KERNMILL_KOKKOS_HAS_OPENMP ON)
  endif()
  message(STATUS "Kokkos from ${KOKKOS_INCLUDE_DIR}; its CMake config does not work")
endif()
