#pragma once
#include "kernmill/kernels/activation.hpp"
#include "kernmill/tasks/learn/parallel/layer_cuts.hpp"
#include "kernmill/tasks/learn/parallel/sliced_layer.hpp"

namespace kernmill::tasks {

/// A layer behind one with weights, and cut as that one's outputs are.
template <class T>
class BehindWeights : public SlicedLayer<T> {
 public:
  explicit BehindWeights(const LayerCut& weights) : weights_(weights) {}
  [[nodiscard]] std::size_t parameters() const override { return 0; }
  [[nodiscard]] Sliced<T> make_output(std::size_t rows) const override;

 protected:
  /// Whether a rank's matrices are slices of rows.
  [[nodiscard]] bool is_cut() const { return !weights_.output_is_whole(); }
  [[nodiscard]] std::size_t slices() const { return is_cut() ? weights_.slices : 1; }
  /// Units of a slice, and of the whole layer.
  [[nodiscard]] std::size_t width() const { return weights_.slice_outputs(); }
  [[nodiscard]] std::size_t all_units() const { return weights_.outputs; }
  /// Of the whole layer's outputs, the first one of a rank's slice.
  [[nodiscard]] std::size_t first_column(std::size_t slice) const {
    return is_cut() ? (weights_.first_slice + slice) * width() : 0;
  }

 private:
  LayerCut weights_;
};

/// Activate's, of a rank's slices.
template <class T>
class SlicedActivate : public BehindWeights<T> {
 public:
  using typename SlicedLayer<T>::Vector;
  SlicedActivate(const LayerCut& weights, kernels::Activation activation)
      : BehindWeights<T>(weights), activation_(activation) {}
  void forward(const Vector& parameters, const LayerRows<T>& rows) override;
  void backward(const Vector& parameters, const LayerRows<T>& rows, const Sliced<T>& delta,
                const Sliced<T>& input_delta) override;

 private:
  kernels::Activation activation_;
};

/// Dropout's: a unit is dropped whoever has it.
template <class T>
class SlicedDropout : public BehindWeights<T> {
 public:
  using typename SlicedLayer<T>::Vector;
  /// `number` is Dropout's.
  SlicedDropout(const LayerCut& weights, double share, std::size_t number)
      : BehindWeights<T>(weights), share_(share), number_(number) {}
  void forward(const Vector& parameters, const LayerRows<T>& rows) override;
  void backward(const Vector& parameters, const LayerRows<T>& rows, const Sliced<T>& delta,
                const Sliced<T>& input_delta) override;

 private:
  void drop(const Pass& pass, const Sliced<T>& from, const Sliced<T>& to) const;
  double share_;
  std::size_t number_;
};

}  // namespace kernmill::tasks
