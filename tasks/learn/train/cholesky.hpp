#pragma once
#include <cstddef>
#include <span>
#include <vector>

namespace kernmill::tasks {

/// A symmetric matrix, row-major, all of it.
struct SymmetricMatrix {
  std::size_t size = 0;
  std::vector<double> values;
  [[nodiscard]] double at(std::size_t i, std::size_t j) const { return values[i * size + j]; }
  double& at(std::size_t i, std::size_t j) { return values[i * size + j]; }
};

/// A variable that is a combination of others: the sum of factor * other.
struct Dependence {
  std::size_t variable = 0;
  std::vector<std::pair<std::size_t, double>> others;  ///< empty: it is constant
};

/// Solves A x = b for a positive semidefinite A, and says where it is singular.
class Cholesky {
 public:
  /// A is scaled to ones on its diagonal; entries of that below `nothing` (one each) are zeros.
  Cholesky(const SymmetricMatrix& a, std::span<const double> nothing);
  /// The variables that depend on those before them, to a 1e-11th of their square; empty: A is regular.
  [[nodiscard]] const std::vector<Dependence>& dependences() const { return dependences_; }
  /// The solution, of all those of a singular A the shortest.
  [[nodiscard]] std::vector<double> solve(std::span<const double> b) const;

 private:
  void factorize_in_order(const SymmetricMatrix& scaled);

  std::size_t size_;
  std::vector<double> scale_;        ///< 1 / sqrt of the diagonal
  std::vector<std::size_t> picked_;  ///< the variables that depend on none before them
  std::vector<double> factor_;       ///< lower, of the picked ones of the scaled matrix
  std::vector<Dependence> dependences_;
};

/// Solves A x = b of a positive definite A, in place of b. Where rounding makes A none, it is raised by as
/// little as makes it one.
void solve_positive(const SymmetricMatrix& a, std::vector<double>& b);

}  // namespace kernmill::tasks
