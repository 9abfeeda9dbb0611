#pragma once
#include <cstddef>
#include <stdexcept>
#include <string>
#include <type_traits>

#include <Kokkos_Core.hpp>

#ifdef KOKKOS_ENABLE_CUDA
#include <cublas_v2.h>
#endif

/// The Fortran interface, which every BLAS has under this name.
extern "C" void dgemm_(const char* ta, const char* tb, const int* m, const int* n, const int* k,
                       const double* alpha, const double* a, const int* lda, const double* b, const int* ldb,
                       const double* beta, double* c, const int* ldc);
extern "C" void sgemm_(const char* ta, const char* tb, const int* m, const int* n, const int* k,
                       const float* alpha, const float* a, const int* lda, const float* b, const int* ldb,
                       const float* beta, float* c, const int* ldc);
extern "C" void dsyrk_(const char* triangle, const char* transposed, const int* n, const int* k,
                       const double* alpha, const double* a, const int* lda, const double* beta, double* c,
                       const int* ldc);

namespace kernmill::kernels::detail {

#ifdef KERNMILL_WITHOUT_BLAS
inline constexpr bool has_host_blas = false;
#else
inline constexpr bool has_host_blas = true;
#endif

/// BLAS counts in int; a row-major product is the column-major product of the operands in turn.
inline int blas_int(std::size_t value) {
  if (value > 0x7fffffffU)
    throw std::length_error("a matrix of " + std::to_string(value) + " rows is too long for BLAS");
  return static_cast<int>(value);
}

inline void blas_gemm(const char* ta, const char* tb, const int* m, const int* n, const int* k,
                      const double* alpha, const double* a, const int* lda, const double* b, const int* ldb,
                      const double* beta, double* c, const int* ldc) {
  dgemm_(ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
}
inline void blas_gemm(const char* ta, const char* tb, const int* m, const int* n, const int* k,
                      const float* alpha, const float* a, const int* lda, const float* b, const int* ldb,
                      const float* beta, float* c, const int* ldc) {
  sgemm_(ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
}

// What each has: `available`, products at all; `rounds_factors`, products whose factors are rounded to
// bfloat16 on their way, where `rounds` asks for it of float; `has_gram`, products of a matrix with itself.

template <class Space>
struct HostBlas {
  static constexpr bool available = true, rounds_factors = false, has_gram = true;
  template <class T>
  static void gemm(const Space& space, bool /*rounds*/, bool ta, bool tb, std::size_t m, std::size_t n,
                   std::size_t k, T alpha, const T* a, std::size_t lda, const T* b, std::size_t ldb, T beta,
                   T* c) {
    const char flag_a = ta ? 'T' : 'N', flag_b = tb ? 'T' : 'N';
    const int rows = blas_int(m), columns = blas_int(n), inner = blas_int(k);
    const int step_a = blas_int(lda), step_b = blas_int(ldb);
    space.fence();  // what a kernel writes is to be there
    blas_gemm(&flag_b, &flag_a, &columns, &rows, &inner, &alpha, b, &step_b, a, &step_a, &beta, c, &columns);
  }
  /// Of c, n x n, the upper triangle += transposed a * a, where a is k x n: what is row-major and upper here
  /// is column-major and lower there.
  static void add_gram(const Space& space, std::size_t n, std::size_t k, const double* a, double* c) {
    const int columns = blas_int(n), rows = blas_int(k);
    const double one = 1;
    space.fence();
    dsyrk_("L", "N", &columns, &rows, &one, a, &columns, &one, c, &columns);
  }
};

template <class Space>
struct NoBlas {
  static constexpr bool available = false, rounds_factors = false, has_gram = false;
  template <class... Arguments>
  static void gemm(Arguments&&...) {}
};

template <class Space>
struct Blas
    : std::conditional_t<
          has_host_blas &&
              Kokkos::SpaceAccessibility<Kokkos::HostSpace, typename Space::memory_space>::accessible &&
              Kokkos::SpaceAccessibility<Space, Kokkos::HostSpace>::accessible,
          HostBlas<Space>, NoBlas<Space>> {};

#ifdef KOKKOS_ENABLE_CUDA
/// One handle a process: it is made at first use, and left to the end of the process.
inline cublasHandle_t cublas_handle() {
  static cublasHandle_t handle = [] {
    cublasHandle_t made = nullptr;
    if (cublasCreate(&made) != CUBLAS_STATUS_SUCCESS) throw std::runtime_error("cuBLAS could not be started");
    return made;
  }();
  return handle;
}

inline cublasStatus_t cublas_gemm(cublasHandle_t handle, bool /*rounds*/, cublasOperation_t ta,
                                  cublasOperation_t tb, int m, int n, int k, const double* alpha,
                                  const double* a, int lda, const double* b, int ldb, const double* beta,
                                  double* c, int ldc) {
  return cublasDgemm(handle, ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
}
inline cublasStatus_t cublas_gemm(cublasHandle_t handle, bool rounds, cublasOperation_t ta,
                                  cublasOperation_t tb, int m, int n, int k, const float* alpha,
                                  const float* a, int lda, const float* b, int ldb, const float* beta,
                                  float* c, int ldc) {
  if (!rounds) return cublasSgemm(handle, ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
  return cublasGemmEx(handle, ta, tb, m, n, k, alpha, a, CUDA_R_32F, lda, b, CUDA_R_32F, ldb, beta, c,
                      CUDA_R_32F, ldc, CUBLAS_COMPUTE_32F_FAST_16BF, CUBLAS_GEMM_DEFAULT);
}

/// In the space's stream, behind its kernels.
template <>
struct Blas<Kokkos::Cuda> {
  static constexpr bool available = true, rounds_factors = true, has_gram = false;
  template <class T>
  static void gemm(const Kokkos::Cuda& space, bool rounds, bool ta, bool tb, std::size_t m, std::size_t n,
                   std::size_t k, T alpha, const T* a, std::size_t lda, const T* b, std::size_t ldb, T beta,
                   T* c) {
    cublasSetStream(cublas_handle(), space.cuda_stream());
    const auto status = cublas_gemm(cublas_handle(), rounds, tb ? CUBLAS_OP_T : CUBLAS_OP_N,
                                    ta ? CUBLAS_OP_T : CUBLAS_OP_N, blas_int(n), blas_int(m), blas_int(k),
                                    &alpha, b, blas_int(ldb), a, blas_int(lda), &beta, c, blas_int(n));
    if (status != CUBLAS_STATUS_SUCCESS)
      throw std::runtime_error("cuBLAS' product failed with status " +
                               std::to_string(static_cast<int>(status)));
  }
};
#endif

}  // namespace kernmill::kernels::detail
