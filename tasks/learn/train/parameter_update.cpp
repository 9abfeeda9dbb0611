#include "kernmill/tasks/learn/train/parameter_update.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "kernmill/kernels/for_each.hpp"

namespace kernmill::tasks {

using kernels::Device;

template <class T>
ParameterUpdate<T>::ParameterUpdate(const OptimizerSettings& settings, const Criterion& criterion,
                                    const std::vector<ParameterTensor>& tensors, storage::IndexRange range,
                                    AddUp add_up)
    : settings_(settings),
      penalty_(criterion.penalty * criterion.step_weight),
      range_(range),
      add_up_(std::move(add_up)),
      first_("first", range.count()),
      second_(settings.type == OptimizerType::sgd ? Vector() : Vector("second", range.count())) {
  for (const ParameterTensor& tensor : tensors)
    add({std::max<std::size_t>(tensor.offset, range.begin),
         std::min<std::size_t>(tensor.offset + tensor.size(), range.end), criterion.penalizes(tensor),
         tensor.is_weight});
}

template <class T>
double ParameterUpdate<T>::in_order(std::span<const double> of_tensors) {
  return std::accumulate(of_tensors.begin(), of_tensors.end(), 0.0);
}

template <class T>
void ParameterUpdate<T>::add(Segment segment) {
  if (segment.begin >= segment.end) return;
  tensors_.push_back(segment);
  const bool alike = !segments_.empty() && segments_.back().is_penalized == segment.is_penalized &&
                     segments_.back().is_weight == segment.is_weight;
  alike ? void(segments_.back().end = segment.end) : segments_.push_back(segment);
}

template <class T>
double ParameterUpdate<T>::squared_norm(double scale, const Vector& sums, const Vector& parameters) const {
  constexpr std::size_t block = 4096;
  std::vector<double> of_tensors;
  for (const Segment& segment : tensors_) {
    const std::size_t count = segment.end - segment.begin;
    const auto squares = kernels::make_vector<Device>((count + block - 1) / block);
    kernels::squared_gradient<Device, T>(
        Device(), {scale, segment.is_penalized ? penalty_ : 0},
        kernels::part_of<Device, T>(sums, segment.begin - range_.begin, count),
        kernels::part_of<Device, T>(parameters, segment.begin, count), block, squares);
    const auto host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), squares);
    double& square = of_tensors.emplace_back(0.0);
    for (std::size_t i = 0; i < host.extent(0); ++i) square += host(i);
  }
  return add_up_(of_tensors);
}

/// What the gradient has to be scaled by where it is longer than it may be (Pascanu, Mikolov and Bengio,
/// 2013).
template <class T>
double ParameterUpdate<T>::clipping(double scale, const Vector& sums, const Vector& parameters) const {
  const double norm = std::sqrt(squared_norm(scale, sums, parameters));
  return norm > *settings_.clip_norm ? *settings_.clip_norm / norm : 1.0;
}

template <class T>
KERNMILL_PROCESSOR_LEVELS void ParameterUpdate<T>::update(const Segment& segment, double rate,
                                                          std::uint64_t step, kernels::GradientOf of,
                                                          const Vector& sums, const Vector& parameters) {
  const Device space;
  const std::size_t at = segment.begin - range_.begin, count = segment.end - segment.begin;
  const auto part = [&](const Vector& values, std::size_t first) {
    return kernels::part_of<Device, T>(values, first, count);
  };
  if (settings_.type == OptimizerType::sgd) {
    kernels::momentum_update<Device, T>(space, {rate, settings_.momentum, settings_.nesterov}, of,
                                        part(sums, at), part(first_, at), part(parameters, segment.begin));
    return;
  }
  const auto t = static_cast<double>(step + 1);
  const double decay = segment.is_weight ? rate * settings_.weight_decay : 0;
  kernels::adam_update<Device, T>(space, {rate, settings_.beta1, settings_.beta2, settings_.epsilon, decay},
                                  1.0 - std::pow(settings_.beta1, t), 1.0 - std::pow(settings_.beta2, t), of,
                                  part(sums, at), part(first_, at), part(second_, at),
                                  part(parameters, segment.begin));
}

template <class T>
void ParameterUpdate<T>::operator()(double rate, std::uint64_t step, double scale, const Vector& sums,
                                    const Vector& parameters) {
  const double clipped = settings_.clip_norm ? clipping(scale, sums, parameters) : 1.0;
  for (const Segment& segment : segments_)
    update(segment, rate, step, {scale * clipped, segment.is_penalized ? penalty_ * clipped : 0}, sums,
           parameters);
  Device().fence();
}

template class ParameterUpdate<double>;
template class ParameterUpdate<float>;

}  // namespace kernmill::tasks
