#include "kernmill/tasks/models/model_kind.hpp"
#include "kernmill/tasks/models/network/linear.hpp"

namespace kernmill::tasks {
namespace {

/// The summed log(1 + exp(-y f)) + l2 / 2 * ||w||^2, one weight vector for both classes.
Criterion logistic_criterion(const ModelSettings& settings, std::uint64_t rows, std::uint64_t) {
  return {1.0, settings.l2, settings.regularize_bias, 1.0 / static_cast<double>(rows)};
}

}  // namespace

extern constinit const ModelKind logistic_model{.type = "logistic",
                                                .predicts_classes = true,
                                                .class_loss = Loss::logistic,
                                                .read_settings = read_linear_settings,
                                                .criterion = logistic_criterion,
                                                .start = linear_start};

}  // namespace kernmill::tasks
