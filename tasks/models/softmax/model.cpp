#include "kernmill/tasks/learn/train/fit_network.hpp"
#include "kernmill/tasks/models/network/linear.hpp"

namespace kernmill::tasks {
namespace {

class Softmax : public LinearModel {
 public:
  explicit Softmax(const Json& model) : LinearModel(model), ridge_(model) {}

  /// The summed cross-entropy + l2 / 2 * ||W||^2.
  [[nodiscard]] Criterion criterion(double rows, std::uint64_t) const override {
    return {1.0, ridge_.l2, ridge_.regularize_bias, 1.0 / rows};
  }

 private:
  Ridge ridge_;
};

constexpr NetworkKind softmax_network{.read = read_as<Softmax>};

}  // namespace

extern constinit const ModelKind softmax_model =
    network_model({.type = "softmax", .predicts_classes = true}, softmax_network);

}  // namespace kernmill::tasks
