if(NOT TARGET kernmill_kernels)
  return()
endif()
set(here ${CMAKE_CURRENT_LIST_DIR})
kernmill_test(kernels LABEL kernels
  SOURCES ${here}/main.cpp ${here}/clusters_test.cpp ${here}/corner_loss_test.cpp ${here}/curvature_test.cpp
          ${here}/fourier_features_test.cpp ${here}/gemm_test.cpp ${here}/kernel_function_test.cpp
          ${here}/layer_test.cpp ${here}/loss_test.cpp ${here}/random_test.cpp ${here}/reduce_test.cpp
          ${here}/sparse_test.cpp ${here}/update_test.cpp
          $<$<NOT:$<BOOL:${KERNMILL_KOKKOS_HAS_GPU}>>:${here}/product_fold_test.cpp>  # the host's own way
  LINK kernmill::kernels kernmill::reference)
