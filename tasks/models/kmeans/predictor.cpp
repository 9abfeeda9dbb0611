#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "kernmill/kernels/clusters.hpp"
#include "kernmill/tasks/models/kmeans/centers.hpp"
#include "kernmill/tasks/models/kmeans/model.hpp"
#include "kernmill/tasks/models/kmeans/nearest_rows.hpp"
#include "kernmill/tasks/models/kmeans/settings.hpp"
#include "kernmill/tasks/models/registry.hpp"
#include "kernmill/tasks/models/tensors.hpp"
#include "kernmill/tasks/support/task_error.hpp"

namespace kernmill::tasks {
namespace {

using kernels::Device;
using kernels::Host;

/// The number of the nearest center, and how far it is.
class KMeansPredictor : public Predictor {
 public:
  explicit KMeansPredictor(const storage::Model& model)
      : features_(model.schema.features.size()), nearest_(kmeans_centers(model), features_) {}

  void predict(std::span<const double> features, std::uint64_t rows,
               std::span<double> scores) const override {
    constexpr std::uint64_t block = 4096;
    for (std::uint64_t first = 0; first < rows; first += block) {
      const std::uint64_t count = std::min(block, rows - first);
      // The kernels take no array of const that they may also write; this one is only read.
      const kernels::Matrix<Host> input(const_cast<double*>(features.data()) + first * features_, count,
                                        features_);
      nearest_.find(Kokkos::create_mirror_view_and_copy(Device::memory_space(), input));
      for (std::uint64_t i = 0; i < count; ++i) {
        scores[2 * (first + i)] = nearest_.labels()[i];
        scores[2 * (first + i) + 1] = std::sqrt(nearest_.squared()[i]);
      }
    }
  }
  void predict(const storage::SparseRows& rows, std::span<double> scores) const override {
    require_features(rows, features_);
    std::vector<double> row(features_);
    for (std::uint64_t i = 0; i < rows.rows(); ++i) {
      std::fill(row.begin(), row.end(), 0.0);
      for (auto at = rows.begins[i]; at < rows.begins[i + 1]; ++at) row[rows.columns[at]] = rows.values[at];
      predict(row, 1, scores.subspan(2 * i, 2));
    }
  }
  [[nodiscard]] std::size_t outputs() const override { return 2; }
  [[nodiscard]] std::vector<std::string> columns() const override { return {"cluster", "distance"}; }

 private:
  std::uint64_t features_;
  mutable NearestRows nearest_;
};

}  // namespace

std::vector<double> kmeans_centers(const storage::Model& model) {
  const std::uint64_t k = read_kmeans_settings(config_of(model)).k, features = model.schema.features.size();
  std::vector<double> centers = values_of(model.parameters, "centers");
  if (features > 0 && centers.size() % features == 0 && centers.size() / features == k) return centers;
  throw TaskError(fmt::format("the model holds {} numbers where {} centers of {} features are asked for",
                              centers.size(), k, features),
                  {}, "the model file is damaged; train it again");
}

std::unique_ptr<Predictor> open_kmeans(const storage::Model& model) {
  return std::make_unique<KMeansPredictor>(model);
}

}  // namespace kernmill::tasks
