#include <string>

#include "kernmill/tasks/learn/train/fit_network.hpp"
#include "kernmill/tasks/models/network/linear.hpp"
#include "kernmill/tasks/support/spec.hpp"

namespace kernmill::tasks {
namespace {

class LinearSvr : public LinearModel {
 public:
  explicit LinearSvr(const Json& model)
      : LinearModel(model),
        C_(setting_as<double>(model, "C")),
        regularize_bias_(setting_as<bool>(model, "regularize_bias")),
        loss_(setting_as<std::string>(model, "loss") == "epsilon_insensitive"
                  ? Loss::epsilon_insensitive
                  : Loss::squared_epsilon_insensitive,
              setting_as<double>(model, "epsilon")) {}

  /// C * the summed loss + 1 / 2 * ||W||^2.
  [[nodiscard]] Criterion criterion(double rows, std::uint64_t) const override {
    return {C_, 1.0, regularize_bias_, 1.0 / rows};
  }
  [[nodiscard]] std::optional<Loss> loss() const override { return loss_; }

 private:
  double C_;
  bool regularize_bias_;
  Loss loss_;
};

constexpr NetworkKind svr_network{.read = read_as<LinearSvr>};

}  // namespace

extern constinit const ModelKind linear_svr_model =
    network_model({.type = "linear_svr", .predicts_numbers = true}, svr_network);

}  // namespace kernmill::tasks
