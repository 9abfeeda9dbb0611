#pragma once
#include <optional>

#include "kernmill/kernels/kernel_function.hpp"
#include "kernmill/tasks/support/json.hpp"

namespace kernmill::tasks {

/// `model` of a kernel_svm.
struct KernelSvmSettings {
  enum class Gamma {
    given,
    scale,        ///< 1 / (features * the variance of all of them together)
    by_features,  ///< 1 / features
  };
  kernels::KernelFunction kernel;  ///< its gamma is of use where it is given
  Gamma gamma = Gamma::scale;
  double C = 1, tolerance = 1e-4;
  std::uint64_t random_features = 0;  ///< in place of the kernel itself; 0: the kernel
};

/// Throws SpecError: which setting is missing or unusable.
KernelSvmSettings read_kernel_svm(const Json& model);

}  // namespace kernmill::tasks
