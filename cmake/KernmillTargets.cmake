# How every target of Kernmill is made.
#
# A library sees its own headers and those of the libraries it links, nothing
# else: each gets an include root of its own in the build tree that holds one
# link, kernmill/NAME -> its source folder. Including a header of a layer that
# the target does not link is therefore a compile error.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/bin")
if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "Build type" FORCE)
endif()

# What waits for files and processes need not be optimised, and tests take longer to compile than to run.
set(kernmill_plain_options $<$<CONFIG:RelWithDebInfo>:-Og>)
set(kernmill_test_options $<$<CONFIG:RelWithDebInfo>:-O0>)
# Line tables and names are enough for a stack; what a debugger needs beyond comes with the build type Debug.
string(REGEX REPLACE "-g( |$)" "-g1\\1" CMAKE_CXX_FLAGS_RELWITHDEBINFO "${CMAKE_CXX_FLAGS_RELWITHDEBINFO}")

add_library(kernmill_flags INTERFACE)
target_compile_options(kernmill_flags INTERFACE -Wall -Wextra -Wshadow -Wnon-virtual-dtor -Wconversion
                                                -Wno-sign-conversion)
if(KERNMILL_WARNINGS_AS_ERRORS)
  target_compile_options(kernmill_flags INTERFACE -Werror)
endif()
# Tests, which are not optimised, do without: they are what is not position-independent.
if(KERNMILL_HARDEN AND NOT KERNMILL_SANITIZE AND NOT CMAKE_BUILD_TYPE STREQUAL "Debug")
  set(installed $<BOOL:$<TARGET_PROPERTY:POSITION_INDEPENDENT_CODE>>)
  foreach(option -fstack-protector-strong -fstack-clash-protection -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
    target_compile_options(kernmill_flags INTERFACE $<${installed}:${option}>)
  endforeach()
  set(kernmill_hardened_link -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack)
endif()
if(KERNMILL_SANITIZE)
  add_compile_options(-fsanitize=${KERNMILL_SANITIZE} -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${KERNMILL_SANITIZE})
endif()

set(kernmill_usual_headers
  <algorithm> <chrono> <filesystem> <fstream> <functional> <map> <memory> <optional> <set> <string> <string_view>
  <system_error> <unordered_map> <variant> <vector> <fmt/format.h> <nlohmann/json.hpp>)

# kernmill_precompiled(TARGET KIND): what nearly every file of that kind includes is compiled once for all of them.
# KIND: json ({fmt}, JSON and the standard library) or test (GoogleTest as well).
function(kernmill_precompiled target kind)
  if(NOT KERNMILL_PRECOMPILED OR NOT TARGET fmt::fmt OR NOT TARGET nlohmann_json::nlohmann_json)
    return()
  endif()
  set(headers kernmill_${kind}_headers)
  if(NOT TARGET ${headers})
    add_library(${headers} OBJECT "${PROJECT_SOURCE_DIR}/cmake/precompiled.cpp")
    target_link_libraries(${headers} PRIVATE kernmill_flags fmt::fmt nlohmann_json::nlohmann_json)
    if(kind STREQUAL "test")
      target_link_libraries(${headers} PRIVATE GTest::gmock)
      target_compile_options(${headers} PRIVATE ${kernmill_test_options})
      set_target_properties(${headers} PROPERTIES POSITION_INDEPENDENT_CODE OFF)  # as programs are
    else()
      target_compile_options(${headers} PRIVATE ${kernmill_plain_options})
    endif()
    target_precompile_headers(${headers} PRIVATE ${kernmill_usual_headers} $<$<STREQUAL:${kind},test>:<gmock/gmock.h$<ANGLE-R>>)
  endif()
  target_link_libraries(${target} PRIVATE fmt::fmt nlohmann_json::nlohmann_json)  # the same definitions
  target_precompile_headers(${target} REUSE_FROM ${headers})
endfunction()

# kernmill_rooms(TARGET [folder]): the sources of a folder are compiled together, KERNMILL_ROOM_SIZE at a time: most of
# what a file costs are the headers that its neighbours include as well. The folders below `folder` are one room.
function(kernmill_rooms target)
  if(NOT KERNMILL_ROOMS)
    return()
  endif()
  get_target_property(sources ${target} SOURCES)
  foreach(source IN LISTS sources)
    cmake_path(ABSOLUTE_PATH source BASE_DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}")
    cmake_path(GET source PARENT_PATH folder)
    cmake_path(RELATIVE_PATH folder BASE_DIRECTORY "${PROJECT_SOURCE_DIR}" OUTPUT_VARIABLE room)
    string(MAKE_C_IDENTIFIER "${room}" room)
    if(ARGC GREATER 1 AND folder MATCHES "^${CMAKE_CURRENT_SOURCE_DIR}/${ARGV1}/")
      string(MAKE_C_IDENTIFIER "${ARGV1}_below" room)
    endif()
    math(EXPR files_${room} "${files_${room}} + 1")
    math(EXPR part "(${files_${room}} - 1) / ${KERNMILL_ROOM_SIZE}")
    set_source_files_properties("${source}" PROPERTIES UNITY_GROUP "${room}_${part}")
  endforeach()
  set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_MODE GROUP)
  target_compile_options(${target} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-Wno-subobject-linkage>)  # each is included once
endfunction()

# kernmill_library(NAME [PLAIN] [JSON] [PROGRAM regex] [SMALL_ROOMS folder] [PUBLIC target...] [PRIVATE target...])
# makes kernmill::NAME of every source file below the current folder but those that match PROGRAM (they are
# the programs' own); where there is none, of its headers alone. SMALL_ROOMS: the folders below it are one room. PLAIN: its speed does not matter. JSON: it includes JSON
# nearly everywhere.
function(kernmill_library name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "JSON;PLAIN" "PROGRAM;SMALL_ROOMS" "PUBLIC;PRIVATE")
  file(GLOB_RECURSE arg_SOURCES CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/*.cpp")
  if(arg_PROGRAM)
    list(FILTER arg_SOURCES EXCLUDE REGEX "${CMAKE_CURRENT_SOURCE_DIR}/(${arg_PROGRAM})")
  endif()
  set(target kernmill_${name})
  set(root "${PROJECT_BINARY_DIR}/include/${name}")
  file(MAKE_DIRECTORY "${root}/kernmill")
  file(CREATE_LINK "${CMAKE_CURRENT_SOURCE_DIR}" "${root}/kernmill/${name}" SYMBOLIC)
  if(arg_SOURCES)
    add_library(${target} STATIC ${arg_SOURCES})
    target_include_directories(${target} PUBLIC "$<BUILD_INTERFACE:${root}>" "$<INSTALL_INTERFACE:include>")
    target_link_libraries(${target} PUBLIC ${arg_PUBLIC}
                          PRIVATE "$<BUILD_INTERFACE:kernmill_flags>" ${arg_PRIVATE})
    kernmill_rooms(${target} ${arg_SMALL_ROOMS})
    if(arg_PLAIN)
      target_compile_options(${target} PRIVATE ${kernmill_plain_options})
      if(arg_JSON)
        kernmill_precompiled(${target} json)
      endif()
    endif()
  else()
    add_library(${target} INTERFACE)
    target_include_directories(${target} INTERFACE "$<BUILD_INTERFACE:${root}>" "$<INSTALL_INTERFACE:include>")
    target_link_libraries(${target} INTERFACE ${arg_PUBLIC})
  endif()
  set_target_properties(${target} PROPERTIES EXPORT_NAME ${name})
  add_library(kernmill::${name} ALIAS ${target})
  set_property(GLOBAL APPEND PROPERTY KERNMILL_LIBRARIES ${target})
  set_property(TARGET ${target} PROPERTY KERNMILL_HEADER_FOLDER "${CMAKE_CURRENT_SOURCE_DIR}")
endfunction()

# kernmill_program(NAME SOURCES file... LINK target...) makes an installed program.
function(kernmill_program name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;LINK")
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE kernmill_flags ${arg_LINK})
  target_link_options(${name} PRIVATE ${kernmill_hardened_link} $<$<BOOL:${KERNMILL_HARDEN}>:-pie>)
  set_property(GLOBAL APPEND PROPERTY KERNMILL_PROGRAMS ${name})
endfunction()

# kernmill_test(NAME LABEL label [TIMEOUT seconds] SOURCES file... LINK target...)
# makes a GoogleTest program; CTest lists each of its tests.
function(kernmill_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "LABEL;TIMEOUT" "SOURCES;LINK;DEFINES")
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 120)
  endif()
  if(KERNMILL_SANITIZE)
    math(EXPR arg_TIMEOUT "5 * ${arg_TIMEOUT}")
  endif()
  add_executable(test_${name} ${arg_SOURCES})
  target_link_libraries(test_${name} PRIVATE kernmill_flags ${arg_LINK} GTest::gtest_main GTest::gmock)
  target_compile_definitions(test_${name} PRIVATE ${arg_DEFINES})
  target_include_directories(test_${name} PRIVATE "${PROJECT_SOURCE_DIR}/tests/support")
  target_compile_options(test_${name} PRIVATE ${kernmill_test_options})
  set_target_properties(test_${name} PROPERTIES POSITION_INDEPENDENT_CODE OFF)
  kernmill_precompiled(test_${name} test)
  gtest_discover_tests(test_${name} DISCOVERY_MODE PRE_TEST
                       PROPERTIES LABELS ${arg_LABEL} TIMEOUT ${arg_TIMEOUT}
                                  ENVIRONMENT "XDG_STATE_HOME=${CMAKE_BINARY_DIR}/state")
endfunction()

# kernmill_mpi_test(NAME RANKS n... SOURCES file... LINK target...)
# makes a GoogleTest program with MPI ranks and runs it once for each number of
# ranks. tests/support/mpi_main.cpp gives it its main().
function(kernmill_mpi_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "TIMEOUT" "RANKS;SOURCES;LINK;DEFINES")
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 300)
  endif()
  if(KERNMILL_SANITIZE)
    math(EXPR arg_TIMEOUT "5 * ${arg_TIMEOUT}")
  endif()
  add_executable(test_${name} ${arg_SOURCES} "${PROJECT_SOURCE_DIR}/tests/support/mpi_main.cpp")
  target_link_libraries(test_${name} PRIVATE kernmill_flags ${arg_LINK} GTest::gtest GTest::gmock MPI::MPI_CXX)
  target_compile_definitions(test_${name} PRIVATE ${arg_DEFINES})
  target_include_directories(test_${name} PRIVATE "${PROJECT_SOURCE_DIR}/tests/support")
  target_compile_options(test_${name} PRIVATE ${kernmill_test_options})
  set_target_properties(test_${name} PROPERTIES POSITION_INDEPENDENT_CODE OFF)
  kernmill_precompiled(test_${name} test)
  foreach(ranks IN LISTS arg_RANKS)
    add_test(NAME ${name}.${ranks}_ranks
             COMMAND ${MPIEXEC_EXECUTABLE} ${MPIEXEC_NUMPROC_FLAG} ${ranks} $<TARGET_FILE:test_${name}>)
    set_tests_properties(${name}.${ranks}_ranks PROPERTIES LABELS mpi TIMEOUT ${arg_TIMEOUT} PROCESSORS ${ranks}
      ENVIRONMENT "HYDRA_LAUNCHER=fork;MPIR_CVAR_ENABLE_HEAVY_YIELD=1;OPENBLAS_NUM_THREADS=1")
  endforeach()
endfunction()
