#include "kernmill/tasks/learn/train/fit_network.hpp"
#include "kernmill/tasks/models/network/linear.hpp"

namespace kernmill::tasks {
namespace {

class LinearRegression : public LinearModel {
 public:
  explicit LinearRegression(const Json& model) : LinearModel(model), ridge_(model) {}

  /// The mean squared error of rows and targets + l2 * ||W||^2.
  [[nodiscard]] Criterion criterion(std::uint64_t rows, std::uint64_t targets) const override {
    const double mean = 1.0 / static_cast<double>(rows);
    return {mean / static_cast<double>(targets), 2.0 * ridge_.l2, ridge_.regularize_bias, 1.0};
  }

 private:
  Ridge ridge_;
};

constexpr NetworkKind regression_network{.read = read_as<LinearRegression>};

}  // namespace

extern constinit const ModelKind linear_regression_model =
    network_model({.type = "linear_regression", .predicts_numbers = true}, regression_network);

}  // namespace kernmill::tasks
