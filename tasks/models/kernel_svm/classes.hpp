#pragma once
#include <cstdint>
#include <vector>

#include "kernmill/tasks/learn/train/fit.hpp"
#include "kernmill/tasks/models/kernel_svm/settings.hpp"

namespace kernmill::tasks {

/// What a kernel_svm has to know of the classes of its target.
struct SvmClasses {
  std::vector<std::uint64_t> counts;  ///< rows of each that weigh anything
  std::vector<double> C;              ///< of the rows of each; a row's is this times its weight
  std::uint64_t missing = 0;          ///< how many have no row
};

/// Collective. Throws TaskError where there are no two classes to tell apart, and where another model is to
/// be started from.
SvmClasses look_at_classes(const Communicator& comm, const FitData& data, const KernelSvmSettings& settings,
                           const Json& config);

/// Those that have rows.
std::vector<std::size_t> classes_there(const std::vector<std::uint64_t>& counts);

}  // namespace kernmill::tasks
