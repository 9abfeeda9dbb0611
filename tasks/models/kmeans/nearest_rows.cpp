#include "kernmill/tasks/models/kmeans/nearest_rows.hpp"

namespace kernmill::tasks {
namespace {

using kernels::Device;

/// The centers' own mean: what all of them have in common is taken off.
std::vector<double> mean_of(std::span<const double> centers, std::size_t features) {
  std::vector<double> mean(features, 0.0);
  for (std::size_t i = 0; i < centers.size(); ++i) mean[i % features] += centers[i];
  const std::size_t count = centers.size() / features;
  for (double& value : mean) value /= static_cast<double>(count);
  return mean;
}

kernels::Centers<Device> centers_less_mean(std::span<const double> centers, std::size_t features) {
  const std::vector<double> mean = mean_of(centers, features);
  std::vector<double> less(centers.begin(), centers.end());
  for (std::size_t i = 0; i < less.size(); ++i) less[i] -= mean[i % features];
  return kernels::make_centers<Device>(less, mean);
}

}  // namespace

NearestRows::NearestRows(std::span<const double> centers, std::size_t features)
    : centers_(centers_less_mean(centers, features)),
      half_gaps_("half_gaps", centers_.count()),
      changed_("changed", centers_.count()) {}

void NearestRows::find(const kernels::Matrix<Device>& rows) {
  const std::size_t count = rows.extent(0);
  const kernels::Labels<Device> labels("labels", count);
  Kokkos::deep_copy(labels, -1);
  const auto upper = kernels::make_vector<Device>(count), lower = kernels::make_vector<Device>(count);
  kernels::assign<Device>(Device(), rows, centers_, half_gaps_, 0.0, {labels, upper, lower}, changed_);
  kernels::squared_distances<Device>(Device(), rows, centers_, labels, upper);
  Device().fence();
  labels_.resize(count);
  squared_.resize(count);
  other_.resize(count);
  Kokkos::deep_copy(kernels::Labels<kernels::Host>(labels_.data(), count), labels);
  Kokkos::deep_copy(kernels::host_vector(squared_.data(), count), upper);
  Kokkos::deep_copy(kernels::host_vector(other_.data(), count), lower);
}

}  // namespace kernmill::tasks
