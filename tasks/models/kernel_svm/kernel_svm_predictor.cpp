#include <algorithm>
#include <cmath>
#include <numeric>

#include "kernmill/kernels/class_sums.hpp"
#include "kernmill/tasks/learn/svm/row_numbers.hpp"
#include "kernmill/tasks/models/kernel_svm/settings.hpp"
#include "kernmill/tasks/models/kernel_svm/support_vectors.hpp"
#include "kernmill/tasks/models/registry.hpp"
#include "kernmill/tasks/models/tensors.hpp"
#include "kernmill/tasks/support/spec.hpp"

namespace kernmill::tasks {
namespace {

using kernels::Device;
using kernels::Host;

constexpr std::uint64_t predicted_at_a_time = 256;

RowNumbers first_numbers(std::size_t count) {
  std::vector<std::size_t> values(count);
  std::iota(values.begin(), values.end(), std::size_t{0});
  return row_numbers(values);
}

kernels::Matrix<Device> to_matrix(std::span<const double> values, std::size_t rows, std::size_t columns) {
  auto out = kernels::make_matrix<Device>(rows, columns);
  Kokkos::deep_copy(out, kernels::ConstMatrix<Host>(values.data(), rows, columns));
  return out;
}

class KernelSvmPredictor : public Predictor {
 public:
  KernelSvmPredictor(const SupportVectors& vectors, const kernels::KernelFunction& function,
                     std::uint64_t features);
  void predict(std::span<const double> features, std::uint64_t rows, std::span<double> scores) const override;
  void predict(const storage::SparseRows& rows, std::span<double> scores) const override;
  [[nodiscard]] std::size_t outputs() const override { return outputs_; }

 private:
  [[nodiscard]] std::vector<double> sums(std::span<const double> features, std::uint64_t rows) const;
  void vote(const double* sums, double* scores) const;

  kernels::KernelFunction function_;
  std::size_t features_, outputs_;
  std::vector<std::size_t> classes_;  ///< that it has learnt
  std::vector<double> biases_;
  kernels::KernelRows<Device> vectors_;
  kernels::Matrix<Device> coefficients_, tile_;
  RowNumbers begins_, places_;
};

KernelSvmPredictor::KernelSvmPredictor(const SupportVectors& vectors, const kernels::KernelFunction& function,
                                       std::uint64_t features)
    : function_(function),
      features_(features),
      outputs_(vectors.per_class.size()),
      biases_(vectors.biases),
      tile_(kernels::make_matrix<Device>(kernels::kernel_tile_rows, kernels::kernel_tile_columns)),
      places_(first_numbers(predicted_at_a_time)) {
  const std::size_t count = vectors.rows.size() / features;
  std::vector<std::size_t> begins{0};
  for (std::size_t c = 0; c < outputs_; ++c) {
    if (vectors.per_class[c] == 0) continue;
    classes_.push_back(c);
    begins.push_back(begins.back() + vectors.per_class[c]);
  }
  begins_ = row_numbers(begins);
  coefficients_ = to_matrix(vectors.coefficients, count, classes_.size() - 1);
  vectors_ = kernels::make_kernel_rows<Device>(count, features, kernels::kernel_tile_columns);
  kernels::take_rows<Device>(Device(), to_matrix(vectors.rows, count, features), first_numbers(count),
                             vectors_);
}

/// What each class' support vectors add to each of its decisions: rows x k x (k - 1).
std::vector<double> KernelSvmPredictor::sums(std::span<const double> features, std::uint64_t rows) const {
  const auto block = kernels::make_kernel_rows<Device>(rows, features_, kernels::kernel_tile_rows);
  kernels::take_rows<Device>(Device(), to_matrix(features, rows, features_), places_, block);
  const auto values = kernels::make_matrix<Device>(rows, vectors_.count);
  kernels::kernel_matrix<Device>(Device(), function_, block, vectors_, tile_, places_, values);
  const auto out = kernels::make_matrix<Device>(rows, classes_.size() * (classes_.size() - 1));
  kernels::class_sums<Device>(Device(), values, coefficients_, begins_, out);
  Device().fence();
  const auto host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), out);
  return {host.data(), host.data() + host.size()};
}

void KernelSvmPredictor::vote(const double* sums, double* scores) const {
  const std::size_t k = classes_.size();
  std::vector<double> votes(k, 0.0), clearness(k, 0.0);
  const double* bias = biases_.data();
  for (std::size_t i = 0; i < k; ++i) {
    for (std::size_t j = i + 1; j < k; ++j) {
      const double decision = sums[i * (k - 1) + j - 1] + sums[j * (k - 1) + i] - *bias++;
      votes[decision > 0 ? i : j] += 1;
      clearness[i] += decision;
      clearness[j] -= decision;
    }
  }
  const auto winner = static_cast<std::size_t>(std::max_element(votes.begin(), votes.end()) - votes.begin());
  std::fill(scores, scores + outputs_, -1.0);  // of a class without rows
  for (std::size_t i = 0; i < k; ++i)
    scores[classes_[i]] = votes[i] + clearness[i] / (3 * (std::abs(clearness[i]) + 1));
  scores[classes_[winner]] = *std::max_element(scores, scores + outputs_);
}

void KernelSvmPredictor::predict(std::span<const double> features, std::uint64_t rows,
                                 std::span<double> scores) const {
  const std::size_t k = classes_.size();
  for (std::uint64_t first = 0; first < rows; first += predicted_at_a_time) {
    const std::uint64_t count = std::min(predicted_at_a_time, rows - first);
    const auto all = sums(features.subspan(first * features_, count * features_), count);
    for (std::uint64_t i = 0; i < count; ++i)
      vote(all.data() + i * k * (k - 1), scores.data() + (first + i) * outputs_);
  }
}

void KernelSvmPredictor::predict(const storage::SparseRows& rows, std::span<double> scores) const {
  require_features(rows, features_);
  std::vector<double> dense;
  for (std::uint64_t first = 0; first < rows.rows(); first += predicted_at_a_time) {
    const std::uint64_t count = std::min(predicted_at_a_time, rows.rows() - first);
    dense.assign(count * features_, 0.0);
    for (std::uint64_t i = 0; i < count; ++i)
      for (std::uint64_t e = rows.begins[first + i]; e < rows.begins[first + i + 1]; ++e)
        dense[i * features_ + rows.columns[e]] = rows.values[e];
    predict(dense, count, scores.subspan(first * outputs_, count * outputs_));
  }
}

[[noreturn]] void refuse_damaged_svm() {
  throw TaskError("the parameters of the kernel_svm do not fit its schema", {},
                  "the model file is damaged; train it again");
}

/// A file may be anybody's: no number of it is an index before it has been looked at.
SupportVectors read_support_vectors(const storage::Model& model) {
  SupportVectors vectors;
  const std::uint64_t features = model.schema.features.size();
  vectors.rows = values_of(model.parameters, "support_vectors");
  vectors.coefficients = values_of(model.parameters, "coefficients");
  vectors.biases = values_of(model.parameters, "biases");
  const auto gamma = values_of(model.parameters, "gamma"), counts = values_of(model.parameters, "per_class");
  if (features == 0 || gamma.size() != 1 || counts.size() != model.schema.classes.size())
    refuse_damaged_svm();
  vectors.gamma = gamma.front();
  const std::uint64_t count = vectors.rows.size() / features;
  std::uint64_t sum = 0, classes = 0;
  for (const double value : counts) {
    if (!(value >= 0 && value <= static_cast<double>(count - sum))) refuse_damaged_svm();
    vectors.per_class.push_back(static_cast<std::uint64_t>(value));
    sum += vectors.per_class.back();
    classes += value >= 1 ? 1 : 0;
  }
  if (sum != count || classes < 2 || vectors.rows.size() != count * features ||
      vectors.coefficients.size() != count * (classes - 1) ||
      vectors.biases.size() != classes * (classes - 1) / 2)
    refuse_damaged_svm();
  return vectors;
}

}  // namespace

std::unique_ptr<Predictor> open_support_vectors(const storage::Model& model) {
  kernels::KernelFunction function = read_kernel_svm(setting(config_of(model), "model")).kernel;
  const SupportVectors vectors = read_support_vectors(model);
  function.gamma = vectors.gamma;
  return std::make_unique<KernelSvmPredictor>(vectors, function, model.schema.features.size());
}

}  // namespace kernmill::tasks
