#include "kernmill/tasks/support/lapack.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include <lapacke.h>

// BLAS, by its Fortran interface, which every one has.
extern "C" void strsv_(const char* triangle, const char* transposed, const char* unit, const int* n,
                       const float* a, const int* lda, float* x, const int* step);
extern "C" void ssyrk_(const char* triangle, const char* transposed, const int* n, const int* k,
                       const float* alpha, const float* a, const int* lda, const float* beta, float* c,
                       const int* ldc);

#include "kernmill/tasks/support/task_error.hpp"

namespace kernmill::tasks {
namespace {

lapack_int lapack_size(std::size_t value) {
  if (value > static_cast<std::size_t>(std::numeric_limits<lapack_int>::max()))
    throw TaskError("a matrix of " + std::to_string(value) + " rows is too long for LAPACK");
  return static_cast<lapack_int>(value);
}

void require(lapack_int status, const char* what) {
  if (status != 0)
    throw TaskError(std::string(what) + " failed in LAPACK (" + std::to_string(status) + ")", {},
                    "look for huge values in the data; scale the features in the preprocess stage");
}

}  // namespace

Eigenpairs symmetric_eigenpairs(std::vector<double> matrix, std::size_t n) {
  if (!std::all_of(matrix.begin(), matrix.end(), [](double x) { return std::isfinite(x); }))
    throw TaskError("the covariance is not finite", {},
                    "look for huge values in the data; scale the features in the preprocess stage");
  std::vector<double> ascending(n);
  const lapack_int size = lapack_size(n);
  require(LAPACKE_dsyevd(LAPACK_ROW_MAJOR, 'V', 'U', size, matrix.data(), size, ascending.data()),
          "the eigenvalue decomposition");
  Eigenpairs pairs{{ascending.rbegin(), ascending.rend()}, std::vector<double>(n * n)};
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j < n; ++j) pairs.vectors[i * n + j] = matrix[j * n + (n - 1 - i)];
  return pairs;
}

std::vector<float> gram_factor(const std::vector<float>& rows, const std::vector<float>& added) {
  constexpr float one = 1, zero = 0, least = 1e-6F;
  const std::size_t n = added.size();
  const lapack_int size = lapack_size(n), count = lapack_size(rows.size() / n);
  std::vector<float> gram(n * n, 0.0F);
  if (count > 0) ssyrk_("L", "N", &size, &count, &one, rows.data(), &size, &zero, gram.data(), &size);
  for (float raise = least;; raise *= 10) {
    std::vector<float> factor = gram;
    for (std::size_t i = 0; i < n; ++i) factor[i * n + i] += added[i] + raise;
    const lapack_int status = LAPACKE_spotrf_work(LAPACK_COL_MAJOR, 'L', size, factor.data(), size);
    if (status == 0) return factor;
    if (raise > 1) require(status, "Cholesky's factorisation");
  }
}

void solve_factored(const std::vector<float>& factor, std::vector<float>& b) {
  const lapack_int n = lapack_size(b.size()), step = 1;
  for (const char* transposed : {"N", "T"})
    strsv_("L", transposed, "N", &n, factor.data(), &n, b.data(), &step);
}

std::vector<double> orthonormal_columns(std::vector<double> matrix, std::size_t rows, std::size_t columns) {
  const lapack_int m = lapack_size(rows), n = lapack_size(columns);
  std::vector<double> reflectors(columns);
  require(LAPACKE_dgeqrf(LAPACK_ROW_MAJOR, m, n, matrix.data(), n, reflectors.data()),
          "the QR decomposition");
  require(LAPACKE_dorgqr(LAPACK_ROW_MAJOR, m, n, n, matrix.data(), n, reflectors.data()),
          "the QR decomposition");
  return matrix;
}

}  // namespace kernmill::tasks
