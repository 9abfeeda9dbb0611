#pragma once
#include <vector>

#include "kernmill/tasks/learn/parallel/layer_cuts.hpp"
#include "kernmill/tasks/learn/parallel/sliced_layer.hpp"
#include "kernmill/tasks/learn/parallel/tensor_group.hpp"
#include "kernmill/tasks/models/network/recurrent_units.hpp"

namespace kernmill::tasks {

/// A recurrent layer as far as a rank has it: slices of its units, each with its own columns of all gates.
/// Behind each step the slices' states are gathered, since the next step's gates need all of them; on the way
/// back what the slices give to the state before is added up along their tree. What a layer gives to one over
/// the same steps is whole, what the last one gives is each slice's own. Parameters are RecurrentUnits',
/// slice by slice.
template <class T>
class SlicedRecurrent : public SlicedLayer<T> {
 public:
  using typename SlicedLayer<T>::Vector;
  using typename SlicedLayer<T>::Matrix;
  using typename SlicedLayer<T>::Part;

  SlicedRecurrent(const LayerCut& cut, TensorGroup<T>& group, kernels::Multiply how);

  [[nodiscard]] std::size_t parameters() const override { return cut_.parameters(); }
  [[nodiscard]] Sliced<T> make_output(std::size_t rows) const override;
  /// Of each slice, and, of all units, the states in front of the steps.
  [[nodiscard]] Sliced<T> make_memory(std::size_t rows) const override;
  void forward(const Vector& parameters, const LayerRows<T>& rows) override;
  void backward(const Vector& parameters, const LayerRows<T>& rows, const Sliced<T>& delta,
                const Sliced<T>& input_delta) override;
  [[nodiscard]] std::vector<Part> parts(const LayerRows<T>& rows) const override;
  void add_gradient(const Part& part, const LayerRows<T>& rows, const Sliced<T>& delta, std::size_t first,
                    std::size_t count, const Vector& gradient) override;
  bool fold_gradient(const Part& part, const LayerRows<T>& rows, const Sliced<T>& delta, const Pieces& pieces,
                     std::span<const Vector> sums) override;

 private:
  using Memory = typename RecurrentUnits<T>::Memory;
  [[nodiscard]] const SequenceShape& shape() const { return *cut_.sequence; }
  [[nodiscard]] bool is_cut() const { return cut_.cut != Cut::none; }
  [[nodiscard]] std::size_t first_unit(std::size_t slice) const {
    return (cut_.first_slice + slice) * cut_.slice_units();
  }
  [[nodiscard]] Vector of_slice(const Vector& parameters, std::size_t slice) const;
  [[nodiscard]] Memory memory_of(const LayerRows<T>& rows, std::size_t slice) const;
  [[nodiscard]] GradientPart units_part(const Part& part) const;
  void gather(std::size_t t, const Sliced<T>& own, const LayerRows<T>& rows);
  void step_back(std::size_t t, const Vector& parameters, const LayerRows<T>& rows, const Sliced<T>& of_step);
  /// Adds up along the tree of the slices; every rank gets the sum, in the first one's memory.
  Matrix total(const Sliced<T>& of_slices);

  LayerCut cut_;
  TensorGroup<T>& group_;
  std::vector<RecurrentUnits<T>> units_;  ///< of each slice
  std::vector<Vector> state_, own_states_, deltas_, given_;
};

}  // namespace kernmill::tasks
