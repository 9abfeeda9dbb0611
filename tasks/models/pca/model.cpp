#include "kernmill/tasks/models/pca/model.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "kernmill/tasks/models/pca/projection.hpp"

namespace kernmill::tasks {
namespace {

/// The components of rows: `component_1`, ...
class PcaPredictor : public Predictor {
 public:
  explicit PcaPredictor(const storage::Model& model) : projection_(model) {}

  void predict(std::span<const double> features, std::uint64_t rows,
               std::span<double> scores) const override {
    constexpr std::uint64_t block = 4096;
    const std::size_t columns = projection_.features(), outputs = projection_.components();
    for (std::uint64_t first = 0; first < rows; first += block) {
      const std::uint64_t count = std::min(block, rows - first);
      // The kernels take no array of const that they may also write; this one is only read.
      const kernels::Matrix<kernels::Host> input(const_cast<double*>(features.data()) + first * columns,
                                                 count, columns);
      const auto projected =
          projection_.project(Kokkos::create_mirror_view_and_copy(kernels::Device::memory_space(), input));
      kernels::Device().fence();
      Kokkos::deep_copy(kernels::Matrix<kernels::Host>(scores.data() + first * outputs, count, outputs),
                        projected);
    }
    for (std::size_t i = 0; i < rows * outputs; ++i) scores[i] *= projection_.scales()[i % outputs];
  }
  void predict(const storage::SparseRows& rows, std::span<double> scores) const override {
    require_features(rows, projection_.features());
    std::vector<double> row(projection_.features());
    for (std::uint64_t i = 0; i < rows.rows(); ++i) {
      std::fill(row.begin(), row.end(), 0.0);
      for (auto at = rows.begins[i]; at < rows.begins[i + 1]; ++at) row[rows.columns[at]] = rows.values[at];
      predict(row, 1, scores.subspan(outputs() * i, outputs()));
    }
  }
  [[nodiscard]] std::size_t outputs() const override { return projection_.components(); }
  [[nodiscard]] std::vector<std::string> columns() const override {
    std::vector<std::string> names;
    for (std::size_t i = 1; i <= outputs(); ++i) names.push_back(fmt::format("component_{}", i));
    return names;
  }

 private:
  mutable Projection projection_;  ///< it works in memory of its own
};

}  // namespace

std::unique_ptr<Predictor> open_pca(const storage::Model& model) {
  return std::make_unique<PcaPredictor>(model);
}

extern constinit const ModelKind pca_model{
    .type = "pca", .fit = fit_pca, .open = open_pca, .own_scores = pca_scores, .takes_weights = false};

}  // namespace kernmill::tasks
