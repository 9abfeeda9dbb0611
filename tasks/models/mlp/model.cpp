#include <string>

#include "kernmill/tasks/learn/train/fit_network.hpp"
#include "kernmill/tasks/support/spec.hpp"

namespace kernmill::tasks {
namespace {

class Mlp : public NetworkModel {
 public:
  explicit Mlp(const Json& model)
      : l2_(setting_as<double>(model, "l2")),
        hidden_(setting_as<std::vector<std::uint64_t>>(model, "hidden")),
        relu_(setting_as<std::string>(model, "activation") == "relu") {}

  /// The mean loss of rows and targets + l2 / 2 * ||W||^2, without the biases.
  [[nodiscard]] Criterion criterion(std::uint64_t rows, std::uint64_t targets) const override {
    const double mean = 1.0 / static_cast<double>(rows);
    return {mean / static_cast<double>(targets), l2_, false, 1.0};
  }
  [[nodiscard]] std::vector<double> start(const Network& network, std::uint64_t seed) const override {
    return network.start(seed);
  }
  [[nodiscard]] std::vector<std::uint64_t> hidden() const override { return hidden_; }
  [[nodiscard]] kernels::Activation activation() const override {
    return relu_ ? kernels::Activation::relu : kernels::Activation::tanh;
  }

 private:
  double l2_;
  std::vector<std::uint64_t> hidden_;
  bool relu_;
};

constexpr NetworkKind mlp_network{.read = read_as<Mlp>};

}  // namespace

extern constinit const ModelKind mlp_model =
    network_model({.type = "mlp", .predicts_classes = true, .predicts_numbers = true}, mlp_network);

}  // namespace kernmill::tasks
