#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "kernmill/storage/even_share.hpp"
#include "kernmill/tasks/comm/communicator.hpp"
#include "kernmill/tasks/learn/svm/kernel_cache.hpp"
#include "kernmill/tasks/learn/svm/smo.hpp"

namespace kernmill::tasks {

/// Two classes to tell apart.
struct SvmProblem {
  std::vector<std::uint64_t> rows;  ///< numbers among the training rows
  std::vector<double> signs;        ///< of each: +1 or -1
  std::vector<double> limits;       ///< C of each
  double tolerance = 1e-4;          ///< by how much two variables may violate the optimality conditions
};

/// How far a solver has come. It goes on from there with the same bits, on any number of ranks.
struct SvmState {
  std::vector<double> alpha, gradient;  ///< of each row
  std::vector<std::uint64_t> working;   ///< the rows that were worked on last
  std::uint64_t iterations = 0;         ///< of SMO
  bool ended = false;
};

/// The dual of a C-SVC, min 1/2 a'Qa - sum a, by decomposition: a few hundred rows that violate the
/// optimality conditions most are taken at a time, with those of the last time that have not settled at a
/// bound; SMO solves the dual of these, and the gradient of all rows follows (Joachims: Making large-scale
/// SVM learning practical, 1999; Zanni, Serafini, Zanghirati: Parallel software for training large scale
/// support vector machines, JMLR 7, 2006; Wen et al.: ThunderSVM, JMLR 19, 2018).
///
/// Each rank has its share of the columns of the kernel matrix, and of the gradient. A step takes two
/// messages: the ranks' best candidates, and the kernel of the rows that are worked on; SMO is then done by
/// all of them alike. So a message pays for hundreds of SMO's iterations. Candidates are ordered by value,
/// then by number, and each number depends on the rows it is of alone: the iterates have the same bits on any
/// number of ranks, and however large the cache is. What shrinking is for, the cache and the choice of the
/// rows do here: rows that stay at a bound are neither worked on nor is their kernel computed.
class SvmSolver {
 public:
  /// `all` holds the training rows, on every rank. `cache` is the bytes that this rank
  /// has for its part of rows of the kernel matrix. The communicator and `all` have to outlive it.
  SvmSolver(const Communicator& comm, const kernels::Matrix<kernels::Device>& all,
            const kernels::KernelFunction& function, SvmProblem problem, std::uint64_t cache);
  void restore(const SvmState& state);

  /// Collective. Returns whether there was anything left to do. Throws TaskError, on every rank, where a
  /// kernel is no finite number.
  bool step();
  /// Collective.
  [[nodiscard]] SvmState state() const;
  [[nodiscard]] const SvmProblem& problem() const { return problem_; }

 private:
  struct Candidate {
    double level;
    std::uint64_t row;
  };
  struct Violators {
    std::vector<Candidate> up, low;  ///< highest levels, and lowest levels, first
    [[nodiscard]] double gap() const;
  };

  [[nodiscard]] Violators violators() const;
  void choose(const Violators& violators);
  [[nodiscard]] Subproblem subproblem();
  [[nodiscard]] std::vector<double> gather_working(std::span<const double> own_columns) const;
  void follow(const Subproblem& solved);

  const Communicator& comm_;
  SvmProblem problem_;
  storage::IndexRange own_;  ///< of the problem's rows: this rank's columns
  KernelCache cache_;
  SvmState state_;  ///< its gradient is of the own columns alone
};

/// After so many iterations a problem counts as ended, as in libsvm.
std::uint64_t most_iterations(const SvmProblem& problem);

/// What a solved problem says of new rows: the sum of signs_i alpha_i k(x_i, x), less the bias, is positive
/// for those of sign +1.
struct SvmSolution {
  double objective = 0;  ///< 1/2 a'Qa - sum a
  double bias = 0;       ///< libsvm's rho
};
SvmSolution solution_of(const SvmProblem& problem, const SvmState& state);

}  // namespace kernmill::tasks
