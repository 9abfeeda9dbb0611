#include "kernmill/tasks/models/predictor.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "kernmill/kernels/loss.hpp"
#include "kernmill/kernels/margin_loss.hpp"
#include "kernmill/tasks/models/network/device_rows.hpp"
#include "kernmill/tasks/models/network/model_parameters.hpp"
#include "kernmill/tasks/support/task_error.hpp"

namespace kernmill::tasks {
namespace {

using kernels::Device;
using kernels::Host;

}  // namespace

struct Predictor::Impl {
  Network network;
  Network::Vector parameters;

  explicit Impl(const storage::Model& model) : network(network_of(model)) {
    const std::vector<double> values = parameters_of(model, network);
    parameters = kernels::make_vector<Device>(values.size());
    Kokkos::deep_copy(parameters, kernels::host_vector(values.data(), values.size()));
  }

  void predict(const Batch& batch, double* scores) {
    const std::uint64_t rows = batch.rows();
    const auto z = network.forward(parameters, batch);
    if (network.shape().loss == Loss::cross_entropy) kernels::log_softmax<Device>(Device(), z);
    Device().fence();
    if (network.shape().loss == Loss::logistic) return give_both(z, scores);
    Kokkos::deep_copy(kernels::Matrix<Host>(scores, rows, network.outputs()), z);
    if (network.shape().loss != Loss::cross_entropy) return;
    std::transform(scores, scores + rows * network.outputs(), scores, [](double x) { return std::exp(x); });
  }

  static void give_both(const Network::Matrix& z, double* scores) {
    const auto both = kernels::make_matrix<Device>(z.extent(0), 2);
    kernels::logistic_probabilities<Device>(Device(), z, both);
    Device().fence();
    Kokkos::deep_copy(kernels::Matrix<Host>(scores, z.extent(0), 2), both);
  }

  /// Of a row: one class more than the network has outputs, where two share one.
  [[nodiscard]] std::uint64_t scores() const {
    return network.shape().loss == Loss::logistic ? 2 : network.outputs();
  }

  /// A column beyond the features would be read from behind the weights.
  void require_features(const storage::SparseRows& rows) const {
    const std::uint64_t features = network.shape().widths.front();
    const auto beyond = std::find_if(rows.columns.begin(), rows.columns.end(),
                                     [&](std::uint32_t column) { return column >= features; });
    if (beyond == rows.columns.end()) return;
    throw TaskError(fmt::format("a row has a value of feature {}, and the model has {}",
                                std::uint64_t{*beyond} + 1, features),
                    {}, "predict rows with the features that it was trained on");
  }
};

Predictor::Predictor(const storage::Model& model) : impl_(std::make_unique<Impl>(model)) {}
Predictor::~Predictor() = default;

void Predictor::predict(std::span<const double> features, std::uint64_t rows,
                        std::span<double> scores) const {
  const std::uint64_t columns = impl_->network.shape().widths.front();
  for (std::uint64_t first = 0; first < rows; first += Network::chunk_rows) {
    const std::uint64_t count = std::min<std::uint64_t>(Network::chunk_rows, rows - first);
    // The kernels take no array of const that they may also write; this one is only read.
    const kernels::Matrix<Host> input(const_cast<double*>(features.data()) + first * columns, count, columns);
    Batch batch;
    batch.features = Kokkos::create_mirror_view_and_copy(Device::memory_space(), input);
    impl_->predict(batch, scores.data() + first * impl_->scores());
  }
}

void Predictor::predict(const storage::SparseRows& rows, std::span<double> scores) const {
  impl_->require_features(rows);
  Batch all;
  all.sparse = on_device(rows);
  for (std::uint64_t first = 0; first < rows.rows(); first += Network::chunk_rows) {
    const std::uint64_t count = std::min<std::uint64_t>(Network::chunk_rows, rows.rows() - first);
    impl_->predict(part_of(all, first, count), scores.data() + first * impl_->scores());
  }
}

int Predictor::outputs() const {
  return static_cast<int>(impl_->scores());
}

bool Predictor::gives_probabilities() const {
  return impl_->network.shape().loss.gives_probabilities();
}

}  // namespace kernmill::tasks
