#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "kernmill/tasks/models/model_kind.hpp"
#include "kernmill/tasks/models/network/criterion.hpp"
#include "kernmill/tasks/models/network/network.hpp"

namespace kernmill::tasks {

/// What least squares are penalized by.
struct LeastSquaresPenalty {
  double l1 = 0, l2 = 0;
  bool regularize_bias = false;
};

/// A model that is a network, with its settings. Each has a class of its own for them.
class NetworkModel {
 public:
  virtual ~NetworkModel() = default;
  /// What it minimises, for so many rows, counted by their weights, and so many target columns (1 for
  /// classes).
  [[nodiscard]] virtual Criterion criterion(double rows, std::uint64_t targets) const = 0;
  /// The parameters that training starts from, as the network lays them out. Throws TaskError.
  [[nodiscard]] virtual std::vector<double> start(const Network& network, std::uint64_t seed) const = 0;
  /// Adds what it is made of to a shape with the features, for data of this schema. Throws TaskError where it
  /// cannot learn from such data.
  virtual void describe(const storage::Schema&, NetworkShape&) const {}

  /// Other than the kind's own.
  [[nodiscard]] virtual std::optional<Loss> loss() const { return std::nullopt; }
  /// Of a model that methods for least squares can find.
  [[nodiscard]] virtual std::optional<LeastSquaresPenalty> least_squares() const { return std::nullopt; }
  /// Whether mini-batches may be computed in float32.
  [[nodiscard]] virtual bool has_single_precision() const { return false; }

  const ModelKind* kind = nullptr;  ///< never null once read
};

/// What is a type of network's own.
struct NetworkKind {
  /// Reads its own keys of `model`. Throws SpecError: which is missing or unusable.
  std::unique_ptr<NetworkModel> (*read)(const Json& model) = nullptr;
  Loss class_loss = Loss::cross_entropy;  ///< of a class target; that of a numeric one is the squared error
  /// Whether what it minimises is a sum of one objective for each class, which are told one by one.
  bool one_against_rest = false;
};

/// Of one class of settings, made of the JSON text.
template <class Model>
std::unique_ptr<NetworkModel> read_as(const Json& model) {
  return std::make_unique<Model>(model);
}

/// `model` of a train stage's config. Throws SpecError: which setting is missing or unusable, or that there
/// is no network of that type.
std::unique_ptr<NetworkModel> read_network_model(const Json& model);

/// A trained network, ready to predict: the predictor of every kind that is a network.
std::unique_ptr<Predictor> open_network(const storage::Model& model);

}  // namespace kernmill::tasks
