#include "kernmill/tasks/learn/train/fit_network.hpp"
#include "kernmill/tasks/models/network/linear.hpp"
#include "kernmill/tasks/support/spec.hpp"

namespace kernmill::tasks {
namespace {

class LinearRegression : public LinearModel {
 public:
  explicit LinearRegression(const Json& model)
      : LinearModel(model), ridge_(model), l1_(model.value("l1", 0.0)) {  // not there in runs from before
    if (model.value("loss", "squared_error") == "huber")
      loss_ = Loss(Loss::huber, setting_as<double>(model, "delta"));
  }

  /// The mean squared error of rows and targets + l2 * ||W||^2 + l1 * |W|_1.
  [[nodiscard]] Criterion criterion(double rows, std::uint64_t targets) const override {
    const double mean = 1.0 / rows;
    return {mean / static_cast<double>(targets), 2.0 * ridge_.l2, ridge_.regularize_bias, 1.0, l1_};
  }
  [[nodiscard]] std::optional<Loss> loss() const override { return loss_; }
  [[nodiscard]] std::optional<LeastSquaresPenalty> least_squares() const override {
    return LeastSquaresPenalty{l1_, ridge_.l2, ridge_.regularize_bias};
  }

 private:
  Ridge ridge_;
  double l1_;
  std::optional<Loss> loss_;
};

constexpr NetworkKind regression_network{.read = read_as<LinearRegression>};

}  // namespace

extern constinit const ModelKind linear_regression_model =
    network_model({.type = "linear_regression", .predicts_numbers = true}, regression_network);

}  // namespace kernmill::tasks
