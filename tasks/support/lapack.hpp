#pragma once
#include <cstddef>
#include <vector>

/// LAPACK, and nobody else's. Matrices are row-major. The bits depend on the library and the processor: let
/// one rank work, and tell the others.
namespace kernmill::tasks {

/// Of a symmetric matrix, the largest eigenvalue first.
struct Eigenpairs {
  std::vector<double> values;
  std::vector<double> vectors;  ///< one a row
};
/// `matrix` is n x n, of which the upper triangle is looked at. Throws TaskError where it holds what is no
/// finite number.
Eigenpairs symmetric_eigenpairs(std::vector<double> matrix, std::size_t n);

/// Cholesky's factor, n x n, of transposed rows * rows + diag(added), in single precision: `rows` are of n
/// numbers, and the sum's diagonal is about 1. Where rounding makes it indefinite, the diagonal is raised
/// until it is not.
std::vector<float> gram_factor(const std::vector<float>& rows, const std::vector<float>& added);
/// Solves the factored system in place of b.
void solve_factored(const std::vector<float>& factor, std::vector<float>& b);

/// Orthonormal columns that span those of `matrix`, rows x columns with columns <= rows (Householder).
std::vector<double> orthonormal_columns(std::vector<double> matrix, std::size_t rows, std::size_t columns);

}  // namespace kernmill::tasks
