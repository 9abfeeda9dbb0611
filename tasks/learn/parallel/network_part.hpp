#pragma once
#include <map>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "kernmill/kernels/tree_fold.hpp"
#include "kernmill/tasks/learn/parallel/layer_cuts.hpp"
#include "kernmill/tasks/learn/parallel/schedule.hpp"
#include "kernmill/tasks/learn/parallel/sliced_layer.hpp"
#include "kernmill/tasks/learn/parallel/tensor_group.hpp"
#include "kernmill/tasks/models/network/network.hpp"

namespace kernmill::tasks {

/// What a rank has of a network in a layout: its stage's layers, its slices of them, and the ranks that have
/// the others. Its parameters are a flat vector of their own.
template <class T>
class NetworkPart {
 public:
  using Vector = kernels::Vector<kernels::Device, T>;
  using Matrix = kernels::Matrix<kernels::Device, T>;

  /// Collective over `comm`. The layout fits the network and the ranks (require_fit). `network` has to
  /// outlive it.
  NetworkPart(const Communicator& comm, const NetworkOf<T>& network, const Layout& layout);

  /// The ranks that have the same of the network, and other rows.
  [[nodiscard]] const Communicator& data() const { return data_; }
  /// The first stage needs the features of rows, the last one their targets; the others know no rows.
  [[nodiscard]] bool needs_rows() const { return is_first() || is_last(); }
  [[nodiscard]] std::size_t parameter_count() const { return parameter_count_; }
  /// As NetworkOf's, of its own; stages behind the first one have none.
  [[nodiscard]] std::vector<FeatureBlock> feature_blocks() const {
    return is_first() ? tasks::feature_blocks(entrance_) : std::vector<FeatureBlock>();
  }
  /// Its own, as NetworkOf::tensors are of all.
  [[nodiscard]] const std::vector<ParameterTensor>& tensors() const { return tensors_; }

  /// Its own of the parameters of the whole network.
  [[nodiscard]] std::vector<T> take(std::span<const T> whole) const;
  /// The inverse. Collective over the ranks of the same rows: each gets all of them.
  [[nodiscard]] std::vector<T> whole(std::span<const T> own) const;
  /// Collective over these, too. The losses, which the last stage has, for all, and everybody's wishes.
  unsigned agree(std::span<double> losses, unsigned wishes) const;

  /// Collective over these. What each of its own tensors has, added up with the others' in the order of the
  /// whole network's; of those that several ranks have, one.
  [[nodiscard]] double add_up(std::span<const double> of_tensors) const;

  /// NetworkOf's, of its own part: without stages all pieces go together, with them each is a micro-batch.
  /// Losses are the last stage's; the others have zeros.
  void fold_gradients(const Vector& parameters, const BatchOf<T>& rows, const Pieces& pieces,
                      const Pass& pass, std::span<const Vector> gradients,
                      const kernels::Matrix<kernels::Device>& losses);

 private:
  /// Memory of a micro-batch on its way.
  struct Flight {
    Sliced<T> input, input_delta;
    std::vector<Sliced<T>> outputs, deltas, memories;  ///< by layer
    Matrix terms;
    std::vector<PendingMessages> sent;
    std::vector<kernels::Matrix<kernels::Host, T>> staged;  ///< what is sent, in the host's memory
    void land();
  };
  /// Some pieces on their way: views of a flight.
  struct Passing {
    Sliced<T> input, input_delta;
    std::vector<Sliced<T>> outputs, deltas;
    BatchOf<T> rows;
    std::vector<std::size_t> cuts;
    Pass pass;
    std::size_t first_piece = 0;
    Flight* flight = nullptr;
  };
  struct Step {
    const Vector& parameters;
    const BatchOf<T>& rows;
    const Pieces& pieces;
    const Pass& pass;
    std::span<const Vector> gradients;
    const kernels::Matrix<kernels::Device>& losses;
    [[nodiscard]] std::size_t count() const { return pieces.cuts.size() - 1; }
  };
  [[nodiscard]] bool is_first() const { return place_.stage == 0; }
  [[nodiscard]] bool is_last() const { return place_.stage + 1 == layout_.pipeline; }
  void add_layers(const LayerCut& cut, std::size_t number);
  void add(std::unique_ptr<SlicedLayer<T>> layer);
  [[nodiscard]] Vector parameters_of(std::size_t layer, const Vector& parameters) const;
  [[nodiscard]] LayerRows<T> at(std::size_t layer, const Passing& pass) const;
  void reserve(std::size_t rows);
  [[nodiscard]] Passing passing(const Step& step, std::size_t micro_batch);
  void forward(const Step& step, Passing& pass);
  void backward(const Step& step, Passing& pass);
  void lose(const Step& step, Passing& pass) const;
  void fold(std::size_t layer, const Step& step, const Passing& pass);
  void send(const Sliced<T>& values, std::uint64_t stage, Flight& flight) const;
  void receive(const Sliced<T>& values, std::uint64_t stage) const;

  const NetworkOf<T>& network_;
  Layout layout_;
  Place place_;
  Communicator data_, pipeline_, rows_;  ///< rows_: the ranks that have the same rows
  TensorGroup<T> group_;
  std::vector<std::unique_ptr<SlicedLayer<T>>> layers_;
  LayerCut entrance_;  ///< the first of them
  std::vector<std::size_t> offsets_;
  std::vector<ParameterTensor> tensors_;
  std::size_t parameter_count_ = 0, reserved_ = 0;
  std::vector<Flight> flights_;
  /// Of a part of a layer's gradient, and where in the whole gradient it goes.
  struct PartFold {
    kernels::TreeFold<kernels::Device, T> sums;
    std::size_t at = 0;
  };
  std::map<std::pair<std::size_t, std::size_t>, PartFold> folds_;  ///< by layer, and part of it
};

/// Throws TaskError where a network of this shape cannot be laid out so, or where there is another number of
/// ranks.
void require_fit(const Layout& layout, const NetworkShape& shape, std::uint64_t ranks);

}  // namespace kernmill::tasks
