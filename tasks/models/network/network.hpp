#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <vector>

#include "kernmill/kernels/tree_fold.hpp"
#include "kernmill/tasks/models/network/feature_block.hpp"
#include "kernmill/tasks/models/network/network_shape.hpp"

namespace kernmill::tasks {

/// Layers that rows go through one after the other; a linear model is one with a single layer. It knows where
/// the parameters lie in one flat vector, and holds none itself.
template <class T>
class NetworkOf {
 public:
  using Vector = kernels::Vector<kernels::Device, T>;
  using Matrix = kernels::Matrix<kernels::Device, T>;
  using Losses = kernels::Vector<kernels::Device>;

  explicit NetworkOf(NetworkShape shape);

  [[nodiscard]] const NetworkShape& shape() const { return shape_; }
  /// All tensors of parameters, in their order; without gaps.
  [[nodiscard]] const std::vector<ParameterTensor>& tensors() const { return tensors_; }
  [[nodiscard]] std::vector<LayerExtent> layers() const;
  [[nodiscard]] std::size_t parameter_count() const { return parameter_count_; }
  [[nodiscard]] std::uint64_t features() const { return shape_.widths.front(); }
  [[nodiscard]] std::uint64_t outputs() const { return shape_.widths.back(); }
  [[nodiscard]] std::size_t layer_outputs(std::size_t layer) const { return layers_[layer]->outputs(); }
  /// Into how many parts the loss is told: one for the cross-entropy, else one an output.
  [[nodiscard]] std::size_t loss_parts() const { return parts_of(shape_.loss, outputs()); }
  /// The loss by part, the number of rows predicted right, and, where that is to be told, what the rows
  /// weigh.
  [[nodiscard]] std::size_t losses_length() const { return loss_parts() + (tells_weight_ ? 2 : 1); }
  /// The gradient, and these.
  [[nodiscard]] std::size_t sums_length() const { return parameter_count_ + losses_length(); }
  /// What the parameters of one that takes sparse rows begin with.
  [[nodiscard]] std::vector<FeatureBlock> feature_blocks() const {
    return {{0, features(), layers_.front()->outputs()}};
  }

  /// Where training starts, keyed by the seed.
  [[nodiscard]] std::vector<double> start(std::uint64_t seed) const;

  /// Rows that go through the network together where there are many: fixed, so that the shapes of the
  /// products are.
  static constexpr std::size_t chunk_rows = 4096;

  /// From now on a row's loss counts as often as its class says.
  void weigh_classes(const std::vector<double>& weights);
  void weigh_classes_as(const NetworkOf<double>& other) { class_weights_ = other.class_weights(); }
  [[nodiscard]] const Losses& class_weights() const { return class_weights_; }
  /// From now on losses tell what the rows weigh, too: rows that have weights of their own.
  void tell_weight();

  /// The last layer's outputs, rows x outputs, in the network's own memory until the next call. What the rows
  /// should give is not looked at.
  Matrix forward(const Vector& parameters, const BatchOf<T>& batch);
  /// Adds the gradient and the losses (losses_length()) summed over the rows of the batch, without any
  /// regularisation, chunk by chunk. Rows predicted right are counted once.
  void add_sums(const Vector& parameters, const BatchOf<T>& batch, const Vector& gradient,
                const Losses& losses);
  /// The same without the gradient.
  void add_losses(const Vector& parameters, const BatchOf<T>& batch, const Losses& out);

  /// Of the outputs z of a batch: they become the gradient by them, `terms` (rows x losses_length()) each
  /// row's loss by part and whether it was right, `losses` (pieces x losses_length()) what each piece has of
  /// these.
  void take_losses(const BatchOf<T>& batch, Cuts cuts, const Matrix& z, const Matrix& terms,
                   const kernels::Matrix<kernels::Device>& losses) const;

  /// Pieces of a batch as the leaves `first_leaf`... of a tree: gradients[i] gets the gradient of the i-th of
  /// their maximal whole subtrees (kernels::whole_subtrees), and losses (pieces x losses_length()) those of
  /// each piece. A piece has the same bits whichever others come with it. The gradients may be short of the
  /// features that no row has (compact batches). `ready`, where it is given, is told of each part of the
  /// gradients that is done, the last layer first.
  using Ready = std::function<void(GradientPart)>;
  void fold_gradients(const Vector& parameters, const BatchOf<T>& batch, const Pieces& pieces,
                      const Pass& pass, std::span<const Vector> gradients,
                      const kernels::Matrix<kernels::Device>& losses, const Ready& ready = {});

 private:
  using Batches = BatchOf<T>;
  void reserve(std::size_t rows);
  Matrix forward(const Vector& parameters, const Batches& batch, Cuts cuts, const Pass& pass);
  [[nodiscard]] Matrix output(std::size_t layer, std::size_t rows) const;
  [[nodiscard]] Batches input(std::size_t layer, const Batches& batch) const;
  [[nodiscard]] Vector parameters_of(std::size_t layer, const Vector& parameters) const;
  void take_losses(const Batches& batch, const Matrix& z, const Matrix& terms) const;
  /// Calls back with each layer's number, input and delta, the last one first.
  template <class Take>
  void backward(const Vector& parameters, const Batches& batch, Cuts cuts, const Take& take);
  void fold_part(std::size_t layer, const GradientPart& part, const Batches& input, const Matrix& delta,
                 const Pieces& pieces, std::span<const Vector> gradients, std::size_t at);
  void without_rows(std::span<const Vector> gradients, const kernels::Matrix<kernels::Device>& losses,
                    std::size_t left_out, const Ready& ready) const;

  NetworkShape shape_;
  std::vector<std::unique_ptr<Layer<T>>> layers_;
  std::vector<std::size_t> offsets_;  ///< of each layer's parameters
  std::vector<ParameterTensor> tensors_;
  std::size_t parameter_count_ = 0;
  std::vector<Matrix> outputs_, deltas_;  ///< by layer
  Matrix terms_;
  Losses term_sums_, class_weights_;  ///< no weights: each row counts once
  bool tells_weight_ = false;
  std::map<std::size_t, kernels::TreeFold<kernels::Device, T>> folds_;  ///< by the size of a part
};
using Network = NetworkOf<double>;

}  // namespace kernmill::tasks
