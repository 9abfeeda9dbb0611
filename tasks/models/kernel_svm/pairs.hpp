#pragma once
#include <cstdint>
#include <vector>

#include "kernmill/tasks/learn/svm/svm_solver.hpp"
#include "kernmill/tasks/learn/train/session.hpp"

namespace kernmill::tasks {

/// Two classes of a kernel_svm, the lower one first, and how far it is told apart from the other.
struct SvmPair {
  std::size_t first = 0, second = 0;
  SvmProblem problem;
  SvmState state;
};

/// Trains all pairs. Where there are two for each rank, and none is very long, each is one rank's; else the
/// ranks share each, one after the other. Neither changes a bit, and nor does a stop, as the states of all
/// pairs are in a checkpoint. Collective. `all` are the training rows, on every rank; `cache` is a rank's
/// memory for kernels. Throws TaskError, Stopped.
void solve_pairs(Session& session, const kernels::Matrix<kernels::Device>& all,
                 const kernels::KernelFunction& function, std::vector<SvmPair>& pairs, std::uint64_t cache);

}  // namespace kernmill::tasks
