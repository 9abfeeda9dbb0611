kernmill_test(layering LABEL unit SOURCES ${CMAKE_CURRENT_LIST_DIR}/layering_test.cpp
              DEFINES KERNMILL_SOURCE_DIR="${PROJECT_SOURCE_DIR}")

# A header of a layer above must not be found: each case compiles one #include with the include roots of one library.
function(kernmill_forbid library header)
  if(NOT TARGET kernmill_${library})
    return()
  endif()
  string(MAKE_C_IDENTIFIER "${library}_sees_${header}" name)
  set(source "${CMAKE_CURRENT_BINARY_DIR}/layering/${name}.cpp")
  file(WRITE "${source}" "#include \"kernmill/${header}\"\n")
  set(roots "$<TARGET_PROPERTY:kernmill_${library},INTERFACE_INCLUDE_DIRECTORIES>")
  add_test(NAME Layering.${library}_cannot_include_${header}
           COMMAND ${CMAKE_CXX_COMPILER} -std=c++20 -fsyntax-only "-I$<JOIN:${roots},;-I>" "${source}"
           COMMAND_EXPAND_LISTS)
  set_tests_properties(Layering.${library}_cannot_include_${header} PROPERTIES LABELS unit
                       PASS_REGULAR_EXPRESSION "${header}: No such file or directory")
endfunction()
kernmill_forbid(workflow plan/plan.hpp)
kernmill_forbid(plan run/journal/journal.hpp)
kernmill_forbid(scheduler plan/plan.hpp)
kernmill_forbid(run cli/cli.hpp)
kernmill_forbid(run storage/dataset/dataset.hpp)
kernmill_forbid(kernels storage/dataset/dataset.hpp)
kernmill_forbid(storage kernels/kernels.hpp)
kernmill_forbid(storage workflow/workflow.hpp)
kernmill_forbid(tasks workflow/workflow.hpp)
