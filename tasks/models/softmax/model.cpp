#include "kernmill/tasks/models/model_kind.hpp"
#include "kernmill/tasks/models/network/linear.hpp"

namespace kernmill::tasks {
namespace {

/// The summed cross-entropy + l2 / 2 * ||W||^2.
Criterion softmax_criterion(const ModelSettings& settings, std::uint64_t rows, std::uint64_t) {
  return {1.0, settings.l2, settings.regularize_bias, 1.0 / static_cast<double>(rows)};
}

}  // namespace

extern constinit const ModelKind softmax_model{.type = "softmax",
                                               .predicts_classes = true,
                                               .read_settings = read_linear_settings,
                                               .criterion = softmax_criterion,
                                               .start = linear_start};

}  // namespace kernmill::tasks
