#pragma once
#include "kernmill/tasks/learn/parallel/sliced_entries.hpp"
#include "kernmill/tasks/learn/parallel/tensor_group.hpp"

namespace kernmill::tasks {

/// LayerNorm's, of a rank's slices: sums over a row are folded along the tree of the slices. Behind the
/// slices' matrices its outputs, and their gradients, have one more (rows x 2): the rows' moments. Parameters
/// are gain and shift, slice by slice.
template <class T>
class SlicedNorm : public BehindDense<T> {
 public:
  using typename SlicedLayer<T>::Vector;
  using typename SlicedLayer<T>::Matrix;
  using typename SlicedLayer<T>::Part;

  SlicedNorm(const LayerCut& dense, TensorGroup<T>& group) : BehindDense<T>(dense), group_(group) {}

  [[nodiscard]] std::size_t parameters() const override { return 2 * this->slices() * this->width(); }
  [[nodiscard]] Sliced<T> make_output(std::size_t rows) const override;
  void forward(const Vector& parameters, const Sliced<T>& input, Cuts cuts, const Pass& pass,
               const Sliced<T>& output) override;
  void backward(const Vector& parameters, const Sliced<T>& input, const Sliced<T>& output, Cuts cuts,
                const Pass& pass, const Sliced<T>& delta, const Sliced<T>& input_delta) override;
  [[nodiscard]] std::vector<Part> parts() const override;
  void add_gradient(const Part& part, const Sliced<T>& input, const Sliced<T>& delta, std::size_t first,
                    std::size_t count, const Vector& gradient) override;

 private:
  [[nodiscard]] Vector gain(const Vector& parameters, std::size_t slice) const;
  [[nodiscard]] Vector shift(const Vector& parameters, std::size_t slice) const;
  /// A matrix of so many columns for each slice, which `put` fills in, added up over all slices.
  template <class Put>
  Matrix total(std::size_t rows, std::size_t columns, const Put& put);

  TensorGroup<T>& group_;
  std::vector<Vector> memory_;
};

}  // namespace kernmill::tasks
