#include <string>

#include <fmt/format.h>

#include "kernmill/tasks/learn/train/fit_network.hpp"
#include "kernmill/tasks/models/network/network_settings.hpp"
#include "kernmill/tasks/support/spec.hpp"
#include "kernmill/tasks/support/task_error.hpp"

namespace kernmill::tasks {
namespace {

kernels::Activation activation_of(const std::string& name) {
  using kernels::Activation;
  if (name == "gelu") return Activation::gelu;
  return name == "relu" ? Activation::relu : Activation::tanh;
}

class Mlp : public NetworkModel {
 public:
  /// What is not there is of models that were made before it was.
  explicit Mlp(const Json& model)
      : l2_(setting_as<double>(model, "l2")),
        hidden_(setting_as<std::vector<std::uint64_t>>(model, "hidden")),
        activation_(activation_of(setting_as<std::string>(model, "activation"))),
        layer_norm_(model.value("layer_norm", false)),
        dropout_(dropout_of(model)),
        huber_delta_(huber_delta_of(model)) {}

  /// The mean loss of rows and targets + l2 / 2 * ||W||^2, without the biases.
  [[nodiscard]] Criterion criterion(double rows, std::uint64_t targets) const override {
    const double mean = 1.0 / rows;
    return {mean / static_cast<double>(targets), l2_, false, 1.0};
  }
  [[nodiscard]] std::vector<double> start(const Network& network, std::uint64_t seed) const override {
    return network.start(seed);
  }
  [[nodiscard]] bool has_single_precision() const override { return true; }
  [[nodiscard]] std::optional<Loss> loss() const override { return loss_of_numbers(huber_delta_); }
  void describe(const storage::Schema& schema, NetworkShape& shape) const override {
    if (huber_delta_ > 0 && schema.target_kind == storage::TargetKind::classes)
      throw TaskError(
          fmt::format("the Huber loss is for numbers, and the target '{}' is a class", schema.target), {},
          "leave 'loss' out: a class target has the cross-entropy");
    shape.widths.insert(shape.widths.end(), hidden_.begin(), hidden_.end());
    shape.activation = activation_;
    shape.layer_norm = layer_norm_;
    shape.dropout = dropout_;
  }

 private:
  double l2_;
  std::vector<std::uint64_t> hidden_;
  kernels::Activation activation_;
  bool layer_norm_;
  double dropout_, huber_delta_;
};

constexpr NetworkKind mlp_network{.read = read_as<Mlp>};

}  // namespace

extern constinit const ModelKind mlp_model = network_model(
    {.type = "mlp", .predicts_classes = true, .predicts_numbers = true, .multiplies_by_blas = false},
    mlp_network);

}  // namespace kernmill::tasks
