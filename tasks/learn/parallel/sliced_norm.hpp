#pragma once
#include "kernmill/tasks/learn/parallel/sliced_entries.hpp"
#include "kernmill/tasks/learn/parallel/tensor_group.hpp"

namespace kernmill::tasks {

/// LayerNorm's, of a rank's slices: sums over a row are folded along the tree of the slices. It remembers the
/// rows' moments (rows x 2). Parameters are gain and shift, slice by slice.
template <class T>
class SlicedNorm : public BehindWeights<T> {
 public:
  using typename SlicedLayer<T>::Vector;
  using typename SlicedLayer<T>::Matrix;
  using typename SlicedLayer<T>::Part;

  SlicedNorm(const LayerCut& weights, TensorGroup<T>& group) : BehindWeights<T>(weights), group_(group) {}

  [[nodiscard]] std::size_t parameters() const override { return 2 * this->slices() * this->width(); }
  [[nodiscard]] Sliced<T> make_memory(std::size_t rows) const override;
  void forward(const Vector& parameters, const LayerRows<T>& rows) override;
  void backward(const Vector& parameters, const LayerRows<T>& rows, const Sliced<T>& delta,
                const Sliced<T>& input_delta) override;
  [[nodiscard]] std::vector<Part> parts(const LayerRows<T>& rows) const override;
  void add_gradient(const Part& part, const LayerRows<T>& rows, const Sliced<T>& delta, std::size_t first,
                    std::size_t count, const Vector& gradient) override;

 private:
  [[nodiscard]] Matrix moments_of(const LayerRows<T>& rows) const;
  [[nodiscard]] Vector gain(const Vector& parameters, std::size_t slice) const;
  [[nodiscard]] Vector shift(const Vector& parameters, std::size_t slice) const;
  /// A matrix of so many columns for each slice, which `put` fills in, added up over all slices.
  template <class Put>
  Matrix total(std::size_t rows, std::size_t columns, const Put& put);

  TensorGroup<T>& group_;
  std::vector<Vector> memory_;
};

}  // namespace kernmill::tasks
