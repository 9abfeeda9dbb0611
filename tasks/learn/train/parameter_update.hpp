#pragma once
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "kernmill/kernels/optimizer.hpp"
#include "kernmill/storage/even_share.hpp"
#include "kernmill/tasks/learn/train/settings.hpp"
#include "kernmill/tasks/models/network/criterion.hpp"

namespace kernmill::tasks {

/// SGD with momentum, Adam or AdamW on a range of a network's parameters, on the device.
template <class T>
class ParameterUpdate {
 public:
  using Vector = kernels::Vector<kernels::Device, T>;
  /// Adds up what the tensors have, one by one. Where other ranks have other tensors it is collective, and
  /// theirs are part of the sum.
  using AddUp = std::function<double(std::span<const double>)>;
  static double in_order(std::span<const double> of_tensors);
  ParameterUpdate(const OptimizerSettings& settings, const Criterion& criterion,
                  const std::vector<ParameterTensor>& tensors, storage::IndexRange range,
                  AddUp add_up = in_order);

  [[nodiscard]] storage::IndexRange range() const { return range_; }
  /// What the method remembers of its range: velocity, or Adam's mean; and Adam's square.
  [[nodiscard]] const Vector& first() const { return first_; }
  [[nodiscard]] const Vector& second() const { return second_; }

  /// Of the gradient's range, before it is clipped; as the tensors' add up.
  [[nodiscard]] double squared_norm(double scale, const Vector& sums, const Vector& parameters) const;
  /// Step `step`, counted from 0. The loss's gradient is `scale` times `sums`, which are of the range;
  /// `parameters` are all of them.
  void operator()(double rate, std::uint64_t step, double scale, const Vector& sums,
                  const Vector& parameters);

 private:
  /// Neighbouring parameters that are treated alike.
  struct Segment {
    std::size_t begin, end;
    bool is_penalized, is_weight;
  };
  void add(Segment segment);
  [[nodiscard]] double clipping(double scale, const Vector& sums, const Vector& parameters) const;
  void update(const Segment& segment, double rate, std::uint64_t step, kernels::GradientOf of,
              const Vector& sums, const Vector& parameters);

  OptimizerSettings settings_;
  double penalty_;
  storage::IndexRange range_;
  AddUp add_up_;
  std::vector<Segment> tensors_, segments_;
  Vector first_, second_;
};

}  // namespace kernmill::tasks
