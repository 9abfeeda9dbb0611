#include <algorithm>

#include "kernmill/tasks/models/kernel_svm/fourier_map.hpp"
#include "kernmill/tasks/models/kernel_svm/random_features.hpp"
#include "kernmill/tasks/models/kernel_svm/settings.hpp"
#include "kernmill/tasks/models/network/device_rows.hpp"
#include "kernmill/tasks/models/registry.hpp"
#include "kernmill/tasks/models/tensors.hpp"
#include "kernmill/tasks/support/spec.hpp"

namespace kernmill::tasks {
namespace {

using Space = kernels::Device;

constexpr std::uint64_t rows_scored_at_a_time = 512;

class RandomFeaturesPredictor : public Predictor {
 public:
  RandomFeaturesPredictor(FourierMap map, std::uint64_t features, const std::vector<double>& weights)
      : map_(std::move(map)),
        features_(features),
        weights_(kernels::make_matrix<Space>(map_.outputs(), weights.size() / map_.outputs())) {
    Kokkos::deep_copy(weights_, kernels::ConstMatrix<kernels::Host>(weights.data(), weights_.extent(0),
                                                                    weights_.extent(1)));
  }

  void predict(std::span<const double> features, std::uint64_t rows,
               std::span<double> scores) const override {
    for (std::uint64_t first = 0; first < rows; first += rows_scored_at_a_time) {
      const std::uint64_t count = std::min(rows_scored_at_a_time, rows - first);
      // Views take no array of const that kernels may also write; this one is only read.
      const kernels::Matrix<kernels::Host> input(const_cast<double*>(features.data()) + first * features_,
                                                 count, features_);
      Batch batch;
      batch.features = Kokkos::create_mirror_view_and_copy(Space::memory_space(), input);
      score(batch, scores.data() + first * outputs());
    }
  }
  void predict(const storage::SparseRows& rows, std::span<double> scores) const override {
    require_features(rows, features_);
    Batch all;
    all.sparse = on_device(rows);
    for (std::uint64_t first = 0; first < rows.rows(); first += rows_scored_at_a_time)
      score(part_of(all, first, std::min(rows_scored_at_a_time, rows.rows() - first)),
            scores.data() + first * outputs());
  }
  [[nodiscard]] std::size_t outputs() const override { return weights_.extent(1); }

 private:
  void score(const Batch& batch, double* scores) const {
    const auto z = map_(batch);
    const auto out = kernels::make_matrix<Space>(z.extent(0), outputs());
    kernels::gemm<Space>(Space(), kernels::Transpose::no, kernels::Transpose::no, 1.0, z, weights_, 0.0, out);
    Space().fence();
    Kokkos::deep_copy(kernels::Matrix<kernels::Host>(scores, z.extent(0), outputs()), out);
  }

  mutable FourierMap map_;  ///< its features are its own memory
  std::uint64_t features_;
  kernels::Matrix<Space> weights_;
};

}  // namespace

std::unique_ptr<Predictor> open_random_features(const storage::Model& model) {
  const Json config = config_of(model);
  const std::uint64_t pairs = read_kernel_svm(setting(config, "model")).random_features / 2;
  const std::uint64_t features = model.schema.features.size();
  const auto weights = values_of(model.parameters, "weights"), gamma = values_of(model.parameters, "gamma");
  // Compared before anything of that size is made: the settings may be anybody's.
  if (gamma.size() != 1 || pairs > weights.size() || model.schema.classes.empty() ||
      weights.size() != (2 * pairs + 1) * model.schema.classes.size())
    throw TaskError("the parameters of the kernel_svm do not fit its settings", {},
                    "the model file is damaged; train it again");
  return std::make_unique<RandomFeaturesPredictor>(
      FourierMap(features, pairs, gamma.front(), setting_as<std::uint64_t>(config, "seed")), features,
      weights);
}

}  // namespace kernmill::tasks
