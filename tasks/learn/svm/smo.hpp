#pragma once
#include <cstdint>
#include <vector>

namespace kernmill::tasks {

/// A part of the dual of a support vector machine: min 1/2 a'Qa + p'a with Q_ij = s_i s_j K_ij, 0 <= a_i <=
/// limit_i and s'a kept as it is. It is known by the gradient at a.
struct Subproblem {
  std::vector<double> kernel;  ///< K, n x n
  std::vector<double> signs;   ///< s: +1 or -1
  std::vector<double> limits, alpha, gradient;
};

/// Sequential minimal optimization with second-order selection (Fan, Chen, Lin: Working set selection using
/// second order information, JMLR 6, 2005), as libsvm has it: until no two variables violate the optimality
/// conditions by more than `tolerance`, or for `most` iterations. Of equals the lowest is taken. Leaves the
/// solution in alpha and gradient. Returns the number of iterations.
std::uint64_t solve(Subproblem& problem, double tolerance, std::uint64_t most);

}  // namespace kernmill::tasks
