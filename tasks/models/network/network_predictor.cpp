#include <algorithm>
#include <cmath>

#include "kernmill/kernels/loss.hpp"
#include "kernmill/tasks/models/network/device_rows.hpp"
#include "kernmill/tasks/models/network/model_parameters.hpp"
#include "kernmill/tasks/models/network/network_kind.hpp"

namespace kernmill::tasks {
namespace {

using kernels::Device;
using kernels::Host;

class NetworkPredictor : public Predictor {
 public:
  explicit NetworkPredictor(const storage::Model& model) : network_(network_of(model)) {
    const std::vector<double> values = parameters_of(model, network_);
    parameters_ = kernels::make_vector<Device>(values.size());
    Kokkos::deep_copy(parameters_, kernels::host_vector(values.data(), values.size()));
  }

  void predict(std::span<const double> features, std::uint64_t rows, std::span<double> scores) const override;
  void predict(const storage::SparseRows& rows, std::span<double> scores) const override;
  [[nodiscard]] std::size_t outputs() const override { return network_.outputs(); }
  [[nodiscard]] bool gives_probabilities() const override {
    return network_.shape().loss == Loss::cross_entropy;
  }

 private:
  void predict(const Batch& batch, double* scores) const {
    const std::uint64_t rows = batch.rows();
    const auto z = network_.forward(parameters_, batch);
    if (gives_probabilities()) kernels::log_softmax<Device>(Device(), z);
    Device().fence();
    Kokkos::deep_copy(kernels::Matrix<Host>(scores, rows, outputs()), z);
    if (!gives_probabilities()) return;
    std::transform(scores, scores + rows * outputs(), scores, [](double x) { return std::exp(x); });
  }

  mutable Network network_;  ///< forward uses its memory
  Network::Vector parameters_;
};

void NetworkPredictor::predict(std::span<const double> features, std::uint64_t rows,
                               std::span<double> scores) const {
  const std::uint64_t columns = network_.shape().widths.front();
  for (std::uint64_t first = 0; first < rows; first += Network::chunk_rows) {
    const std::uint64_t count = std::min<std::uint64_t>(Network::chunk_rows, rows - first);
    // The kernels take no array of const that they may also write; this one is only read.
    const kernels::Matrix<Host> input(const_cast<double*>(features.data()) + first * columns, count, columns);
    Batch batch;
    batch.features = Kokkos::create_mirror_view_and_copy(Device::memory_space(), input);
    predict(batch, scores.data() + first * outputs());
  }
}

void NetworkPredictor::predict(const storage::SparseRows& rows, std::span<double> scores) const {
  require_features(rows, network_.shape().widths.front());
  Batch all;
  all.sparse = on_device(rows);
  for (std::uint64_t first = 0; first < rows.rows(); first += Network::chunk_rows) {
    const std::uint64_t count = std::min<std::uint64_t>(Network::chunk_rows, rows.rows() - first);
    predict(part_of(all, first, count), scores.data() + first * outputs());
  }
}

}  // namespace

std::unique_ptr<Predictor> open_network(const storage::Model& model) {
  return std::make_unique<NetworkPredictor>(model);
}

}  // namespace kernmill::tasks
