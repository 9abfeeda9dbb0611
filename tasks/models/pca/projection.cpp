#include "kernmill/tasks/models/pca/projection.hpp"

#include <cmath>

#include <fmt/format.h>

#include "kernmill/kernels/gemm.hpp"
#include "kernmill/kernels/shift.hpp"
#include "kernmill/tasks/models/pca/settings.hpp"
#include "kernmill/tasks/models/registry.hpp"
#include "kernmill/tasks/models/tensors.hpp"
#include "kernmill/tasks/support/task_error.hpp"

namespace kernmill::tasks {
namespace {

using kernels::Device;
using kernels::Host;
using kernels::Transpose;

[[noreturn]] void refuse_numbers(std::size_t components, std::size_t features) {
  throw TaskError(
      fmt::format("the model's numbers are not those of {} components of {} features", components, features),
      {}, "the model file is damaged; train it again");
}

}  // namespace

Projection::Projection(const storage::Model& model) : features_(model.schema.features.size()) {
  const PcaSettings settings = read_pca_settings(config_of(model));
  const auto mean = values_of(model.parameters, "mean");
  const auto components = values_of(model.parameters, "components");
  const auto variances = values_of(model.parameters, "explained_variance");
  if (features_ == 0 || variances.empty() || mean.size() != features_ ||
      components.size() / features_ != variances.size() || components.size() % features_ != 0)
    refuse_numbers(variances.size(), features_);
  for (const double variance : variances)
    scales_.push_back(settings.whiten && variance > 0 ? 1 / std::sqrt(variance) : 1.0);
  mean_ = kernels::make_vector<Device>(features_);
  Kokkos::deep_copy(mean_, kernels::host_vector(mean.data(), features_));
  components_ = kernels::make_matrix<Device>(variances.size(), features_);
  Kokkos::deep_copy(components_, kernels::ConstMatrix<Host>(components.data(), variances.size(), features_));
}

Projection::Matrix Projection::project(const Matrix& rows) {
  const std::size_t count = rows.extent(0);
  centered_ = kernels::make_matrix<Device>(count, features_);
  scores_ = kernels::make_matrix<Device>(count, components());
  kernels::less_shift<Device>(Device(), rows, mean_, centered_);
  kernels::gemm<Device>(Device(), Transpose::no, Transpose::yes, 1.0, centered_, components_, 0.0, scores_);
  return scores_;
}

std::vector<Projection::Residual> Projection::residuals() {
  restored_ = kernels::make_matrix<Device>(scores_.extent(0), features_);
  kernels::gemm<Device>(Device(), Transpose::no, Transpose::no, 1.0, scores_, components_, 0.0, restored_);
  Device().fence();
  const auto rows = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), centered_);
  const auto restored = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), restored_);
  std::vector<Residual> residuals(rows.extent(0));
  for (std::size_t i = 0; i < residuals.size(); ++i)
    for (std::size_t j = 0; j < features_; ++j) {
      const double left = rows(i, j) - restored(i, j);
      residuals[i].left += left * left;
      residuals[i].all += rows(i, j) * rows(i, j);
    }
  return residuals;
}

}  // namespace kernmill::tasks
