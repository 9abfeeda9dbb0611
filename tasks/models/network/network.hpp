#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "kernmill/kernels/activation.hpp"
#include "kernmill/kernels/gemm.hpp"
#include "kernmill/kernels/sparse.hpp"
#include "kernmill/kernels/types.hpp"
#include "kernmill/tasks/models/network/loss.hpp"

namespace kernmill::tasks {

struct NetworkShape {
  std::vector<std::uint64_t> widths;  ///< features, hidden..., outputs
  kernels::Activation activation = kernels::Activation::relu;
  Loss loss = Loss::cross_entropy;
  friend bool operator==(const NetworkShape&, const NetworkShape&) = default;
};

/// Rows on the device: features, dense (n x d) or sparse, and what they should give, by the network's loss.
struct Batch {
  kernels::Matrix<kernels::Device> features;
  kernels::SparseRows<kernels::Device> sparse;
  /// The same sparse rows where the first layer's gradient has a few of the features only: their columns are
  /// counted among the `gradient_inputs` of these. Without it the gradient has all.
  kernels::SparseRows<kernels::Device> compact;
  std::size_t gradient_inputs = 0;
  kernels::Labels<kernels::Device> labels;   ///< of a class target
  kernels::Matrix<kernels::Device> numbers;  ///< of a numeric target, n x outputs

  [[nodiscard]] bool is_sparse() const { return sparse.begins.extent(0) > 0; }
  [[nodiscard]] bool is_compact() const { return compact.begins.extent(0) > 0; }
  [[nodiscard]] std::size_t rows() const { return is_sparse() ? sparse.rows() : features.extent(0); }
};

/// Rows [first, first + count) of a batch: a view, not a copy.
Batch part_of(const Batch& batch, std::size_t first, std::size_t count);

/// A fully connected network; a linear model is one without hidden layers. It knows where each layer's
/// parameters lie in one flat vector, and holds none itself.
class Network {
 public:
  using Vector = kernels::Vector<kernels::Device>;
  using Matrix = kernels::Matrix<kernels::Device>;

  /// weights are inputs x outputs at `weights`, the bias is at `bias`, of the flat vector.
  struct Layer {
    std::uint64_t inputs = 0, outputs = 0;
    std::size_t weights = 0, bias = 0;
  };

  explicit Network(NetworkShape shape);

  [[nodiscard]] const NetworkShape& shape() const { return shape_; }
  [[nodiscard]] const std::vector<Layer>& layers() const { return layers_; }
  [[nodiscard]] std::size_t parameter_count() const { return parameter_count_; }
  [[nodiscard]] std::uint64_t outputs() const { return shape_.widths.back(); }
  /// Into how many parts the loss is told: one for the cross-entropy, else one an output.
  [[nodiscard]] std::size_t loss_parts() const { return parts_of(shape_.loss, outputs()); }
  /// The length of what `sums` gives: the gradient, the loss by part, the number of rows predicted right.
  [[nodiscard]] std::size_t sums_length() const { return parameter_count_ + losses_length(); }
  /// The same where the gradient has so many of the features.
  [[nodiscard]] std::size_t sums_length(std::size_t gradient_inputs) const {
    return sums_length() - (layers_.front().inputs - gradient_inputs) * layers_.front().outputs;
  }
  [[nodiscard]] std::size_t losses_length() const { return loss_parts() + 1; }

  /// Glorot's uniform weights (+- sqrt(6 / (inputs + outputs))), keyed by seed, layer and index; zero biases.
  [[nodiscard]] std::vector<double> glorot(std::uint64_t seed) const;

  /// Rows that go through the network together: fixed, so that the shapes of the products are.
  static constexpr std::size_t chunk_rows = 4096;

  /// From now on a row's loss counts as often as its class says.
  void weigh_classes(const std::vector<double>& weights);

  /// The last layer's outputs, rows x outputs, in the network's own memory until the next call. What the rows
  /// should give is not looked at.
  Matrix forward(const Vector& parameters, const Batch& batch);
  /// Sums over the rows of the batch, without any regularisation; rows predicted right are counted once.
  void sums(const Vector& parameters, const Batch& batch, const Vector& out);
  /// Adds the sums over the rows of the batch, chunk by chunk.
  void add_sums(const Vector& parameters, const Batch& batch, const Vector& out);
  /// The same without the gradient: `out` has losses_length() values.
  void add_losses(const Vector& parameters, const Batch& batch, const Vector& out);

 private:
  void add_chunk_losses(const Vector& parameters, const Batch& chunk, const Vector& out);
  void backward(const Vector& parameters, const Batch& chunk, const Vector& gradient);
  void add_input_gradient(const Batch& chunk, const Matrix& delta, const Vector& gradient);
  [[nodiscard]] Matrix activated(std::size_t layer, std::size_t rows) const;
  void reserve(std::size_t rows);

  NetworkShape shape_;
  std::vector<Layer> layers_;
  std::size_t parameter_count_ = 0;
  std::vector<Matrix> activated_, gradients_;  ///< by layer
  Matrix terms_;
  std::vector<Vector> bias_sums_;  ///< by layer
  Vector term_sums_;
  Vector class_weights_;  ///< empty: each row counts once
};

}  // namespace kernmill::tasks
