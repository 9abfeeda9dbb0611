#pragma once
#include <optional>
#include <vector>

#include "kernmill/tasks/learn/train/mini_batch.hpp"
#include "kernmill/tasks/learn/train/parameter_update.hpp"

namespace kernmill::tasks {

/// Steps of Adam on the same rows again and again, as train_in_batches makes them; in a layout of layers,
/// too.
template <class T>
class TrainingSteps {
 public:
  using Vector = kernels::Vector<kernels::Device, T>;
  TrainingSteps(const Communicator& comm, Summing summing, const NetworkShape& shape, std::uint64_t rows,
                const Layout& layout = {})
      : rows_(rows),
        network_(shape),
        part_(part_of_network(comm, layout)),
        parameters_("parameters", part_ ? part_->parameter_count() : network_.parameter_count()),
        sum_(part_ ? part_->data() : comm, summing, micro_batches(rows, network_.parameter_count()),
             network_.losses_length(), true),
        update_(adam(), {}, part_ ? part_->tensors() : network_.tensors(),
                sum_.share(parameters_.size(), (part_ ? part_->data() : comm).rank())) {
    const std::vector<double> start = network_.start(1);
    std::vector<T> values(start.begin(), start.end());
    if (part_) values = part_->take(values);
    Kokkos::deep_copy(parameters_, kernels::host_vector(values.data(), values.size()));
    const std::vector<std::uint64_t>& widths = shape.widths;
    features_.resize(rows * widths.front());
    for (std::size_t i = 0; i < features_.size(); ++i) features_[i] = static_cast<T>(i * 7919 % 256) / 256;
    batch_.features = kernels::Matrix<kernels::Device, T>(features_.data(), rows, widths.front());
    batch_.labels = kernels::Labels<kernels::Device>("labels", rows);
    for (std::size_t i = 0; i < rows; ++i) batch_.labels(i) = static_cast<int>(i * 31 % widths.back());
  }

  void one() {
    const storage::IndexRange own = sum_.own();
    std::vector<std::size_t> cuts{0};
    for (std::uint64_t leaf = own.begin; leaf < own.end; ++leaf)
      cuts.push_back(cuts.back() + piece(leaf).count());
    const std::size_t first = own.count() == 0 ? 0 : piece(own.begin).begin;
    const BatchOf<T> rows = part_of(batch_, first, cuts.back());
    const auto gradients = sum_.gradients(parameters_.size());
    if (part_) {
      part_->fold_gradients(parameters_, rows, {cuts, own.begin}, pass(first), gradients, sum_.losses());
    } else {
      network_.fold_gradients(parameters_, rows, {cuts, own.begin}, pass(first), gradients, sum_.losses(),
                              [&](GradientPart part) { sum_.ready(part); });
    }
    const BatchSum<T> sum = sum_.sum(0);
    if (part_) {
      std::vector<double> losses(sum.losses.begin(), sum.losses.end());
      (void)part_->agree(losses, 0);
    }
    update_(1e-3, step_++, 1.0 / static_cast<double>(rows_), sum.gradient, parameters_);
    sum_.complete(parameters_);
  }

 private:
  static OptimizerSettings adam() {
    OptimizerSettings settings;
    settings.type = OptimizerType::adam;
    return settings;
  }
  std::optional<NetworkPart<T>> part_of_network(const Communicator& comm, const Layout& layout) {
    if (layout.is_plain()) return std::nullopt;
    return std::optional<NetworkPart<T>>(std::in_place, comm, network_, layout);
  }
  [[nodiscard]] Pass pass(std::uint64_t first_row) const { return {true, 1, step_, first_row}; }
  [[nodiscard]] storage::IndexRange piece(std::uint64_t leaf) const {
    return storage::even_share(rows_, static_cast<int>(leaf), static_cast<int>(sum_.pieces()));
  }
  std::uint64_t rows_, step_ = 0;
  NetworkOf<T> network_;
  std::optional<NetworkPart<T>> part_;
  Vector parameters_;
  GradientSum<T> sum_;
  ParameterUpdate<T> update_;
  std::vector<T> features_;
  BatchOf<T> batch_;
};

}  // namespace kernmill::tasks
