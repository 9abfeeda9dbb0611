#include "kernmill/tasks/learn/train/fit_network.hpp"
#include "kernmill/tasks/models/network/linear.hpp"

namespace kernmill::tasks {
namespace {

class Logistic : public LinearModel {
 public:
  explicit Logistic(const Json& model) : LinearModel(model), ridge_(model) {}

  /// The summed log(1 + exp(-y f)) + l2 / 2 * ||w||^2, one weight vector for both classes.
  [[nodiscard]] Criterion criterion(double rows, std::uint64_t) const override {
    return {1.0, ridge_.l2, ridge_.regularize_bias, 1.0 / rows};
  }

 private:
  Ridge ridge_;
};

constexpr NetworkKind logistic_network{.read = read_as<Logistic>, .class_loss = Loss::logistic};

}  // namespace

extern constinit const ModelKind logistic_model =
    network_model({.type = "logistic", .predicts_classes = true}, logistic_network);

}  // namespace kernmill::tasks
