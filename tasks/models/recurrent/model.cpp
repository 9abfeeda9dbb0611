#include <fmt/format.h>

#include "kernmill/tasks/learn/train/fit_network.hpp"
#include "kernmill/tasks/models/network/network_settings.hpp"
#include "kernmill/tasks/support/spec.hpp"
#include "kernmill/tasks/support/task_error.hpp"

namespace kernmill::tasks {
namespace {

/// A window of a series as time steps x columns, which is how its features lie, oldest first: recurrent
/// layers over the steps, and a dense one from the last state to the outputs.
class RecurrentModel : public NetworkModel {
 public:
  RecurrentModel(const Json& model, Cell cell)
      : cell_(cell),
        hidden_(setting_as<std::uint64_t>(model, "hidden")),
        layers_(setting_as<std::uint64_t>(model, "layers")),
        l2_(setting_as<double>(model, "l2")),
        dropout_(dropout_of(model)),
        huber_delta_(huber_delta_of(model)) {
    if (hidden_ == 0 || layers_ == 0 || layers_ > most_layers)
      throw SpecError(fmt::format("spec.json: model.hidden is at least 1, and model.layers is from 1 to {}",
                                  most_layers));
  }

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
  void describe(const storage::Schema& schema, NetworkShape& shape) const override;

 private:
  static constexpr std::uint64_t most_layers = 64;

  Cell cell_;
  std::uint64_t hidden_, layers_;
  double l2_, dropout_, huber_delta_;
};

void RecurrentModel::describe(const storage::Schema& schema, NetworkShape& shape) const {
  const std::uint64_t columns = schema.series.columns.size(), features = schema.features.size();
  if (columns == 0 || features == 0 || features % columns != 0)
    throw TaskError(fmt::format("{} reads windows of a series, and {} has none", kind->type, schema.source),
                    {}, "have the preprocess stage make some: series: {window: 10}, or use an mlp");
  shape.cell = cell_;
  shape.steps = features / columns;
  shape.widths.insert(shape.widths.end(), layers_, hidden_);
  shape.dropout = dropout_;
}

template <Cell cell>
std::unique_ptr<NetworkModel> read_recurrent(const Json& model) {
  return std::make_unique<RecurrentModel>(model, cell);
}

constexpr NetworkKind lstm_network{.read = read_recurrent<Cell::lstm>};
constexpr NetworkKind gru_network{.read = read_recurrent<Cell::gru>};

}  // namespace

extern constinit const ModelKind lstm_model =
    network_model({.type = "lstm", .predicts_numbers = true, .multiplies_by_blas = false}, lstm_network);
extern constinit const ModelKind gru_model =
    network_model({.type = "gru", .predicts_numbers = true, .multiplies_by_blas = false}, gru_network);

}  // namespace kernmill::tasks
