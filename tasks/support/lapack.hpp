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
/// `matrix` is n x n. Throws TaskError where it holds what is no finite number.
Eigenpairs symmetric_eigenpairs(std::vector<double> matrix, std::size_t n);

/// Orthonormal columns that span those of `matrix`, rows x columns with columns <= rows (Householder).
std::vector<double> orthonormal_columns(std::vector<double> matrix, std::size_t rows, std::size_t columns);

}  // namespace kernmill::tasks
