#include "kernmill/tasks/learn/train/fit_network.hpp"
#include "kernmill/tasks/models/network/linear.hpp"
#include "kernmill/tasks/support/spec.hpp"

namespace kernmill::tasks {
namespace {

class LinearSvm : public LinearModel {
 public:
  explicit LinearSvm(const Json& model)
      : LinearModel(model),
        C_(setting_as<double>(model, "C")),
        regularize_bias_(setting_as<bool>(model, "regularize_bias")),
        has_corners_(model.value("loss", "squared_hinge") == "hinge") {}

  /// C * the summed hinge loss, squared or not, + 1 / 2 * ||W||^2.
  [[nodiscard]] Criterion criterion(double rows, std::uint64_t) const override {
    return {C_, 1.0, regularize_bias_, 1.0 / rows};
  }
  [[nodiscard]] std::optional<Loss> loss() const override {
    return has_corners_ ? std::optional<Loss>(Loss::hinge) : std::nullopt;
  }

 private:
  double C_;
  bool regularize_bias_, has_corners_;
};

constexpr NetworkKind svm_network{
    .read = read_as<LinearSvm>, .class_loss = Loss::squared_hinge, .one_against_rest = true};

}  // namespace

extern constinit const ModelKind linear_svm_model =
    network_model({.type = "linear_svm", .predicts_classes = true}, svm_network);

}  // namespace kernmill::tasks
