#include "kernmill/tasks/learn/parallel/network_part.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <numeric>

#include "kernmill/tasks/learn/parallel/sliced_dense.hpp"
#include "kernmill/tasks/learn/parallel/sliced_norm.hpp"
#include "kernmill/tasks/learn/parallel/sliced_recurrent.hpp"

namespace kernmill::tasks {

using kernels::Device;

namespace {

int as_color(std::uint64_t number) {
  return static_cast<int>(number);
}

template <class T>
Sliced<T> first_rows(const Sliced<T>& all, std::size_t rows) {
  Sliced<T> out;
  for (const auto& matrix : all) out.push_back(kernels::rows_of<Device, T>(matrix, 0, rows));
  return out;
}

/// What goes into a layer.
template <class T>
Sliced<T> make_input(const LayerCut& layer, std::size_t rows) {
  return make_sliced<T>(layer.input_is_whole ? 1 : layer.slices, rows,
                        layer.input_is_whole ? layer.inputs : layer.slice_inputs());
}

/// Calls back with where each row of a block begins in the whole network and in the part, and how long it is.
template <class Each>
void for_rows(const ParameterBlock& block, const ParameterTensor& tensor, const Each& each) {
  const std::size_t stride = tensor.shape.back();
  for (std::uint64_t row = 0; row < block.rows; ++row)
    for (std::uint64_t gate = 0; gate < block.gates; ++gate)
      each(tensor.offset + (block.first_row + row) * stride + block.first_column + gate * block.gate_width,
           block.offset + row * block.row_length() + gate * block.columns, block.columns);
}

}  // namespace

template <class T>
NetworkPart<T>::NetworkPart(const Communicator& comm, const NetworkOf<T>& network, const Layout& layout)
    : network_(network),
      layout_(layout),
      place_(place_of(layout, static_cast<std::uint64_t>(comm.rank()))),
      data_(comm.split(as_color(place_.stage * layout.tensor + place_.tensor), comm.rank())),
      pipeline_(comm.split(as_color(place_.data * layout.tensor + place_.tensor), comm.rank())),
      rows_(comm.split(as_color(place_.data), comm.rank())),
      group_(comm.split(as_color(place_.stage * layout.data + place_.data), comm.rank())) {
  std::size_t number = stages_of(network.shape(), layout.pipeline)[place_.stage].begin;
  const std::vector<LayerCut> cuts = layers_of(network.shape(), layout, place_);
  entrance_ = cuts.front();
  offsets_.push_back(0);
  for (const LayerCut& cut : cuts) add_layers(cut, number++);
  for (const ParameterBlock& block : blocks_of(network.shape(), layout, place_)) {
    const ParameterTensor& tensor = network.tensors()[block.tensor];
    tensors_.push_back({tensor.name, {block.rows, block.row_length()}, block.offset, tensor.is_weight});
  }
}

template <class T>
void NetworkPart<T>::add(std::unique_ptr<SlicedLayer<T>> layer) {
  parameter_count_ += layer->parameters();
  offsets_.push_back(parameter_count_);
  layers_.push_back(std::move(layer));
}

/// As make_layers does, of the whole network.
template <class T>
void NetworkPart<T>::add_layers(const LayerCut& cut, std::size_t number) {
  const NetworkShape& shape = network_.shape();
  const bool last = number + 1 == shape.layer_count();
  const bool fuses = shape.fuses_activation();
  if (cut.sequence) {
    add(std::make_unique<SlicedRecurrent<T>>(cut, group_, shape.multiply));
  } else {
    add(std::make_unique<SlicedDense<T>>(
        cut, last || !fuses ? kernels::Activation::identity : shape.activation, group_, shape.multiply));
    if (!last && shape.layer_norm) add(std::make_unique<SlicedNorm<T>>(cut, group_));
    if (!last && !fuses) add(std::make_unique<SlicedActivate<T>>(cut, shape.activation));
  }
  if (!last && shape.dropout > 0) add(std::make_unique<SlicedDropout<T>>(cut, shape.dropout, number));
}

template <class T>
std::vector<T> NetworkPart<T>::take(std::span<const T> whole) const {
  std::vector<T> own(parameter_count_);
  for (const ParameterBlock& block : blocks_of(network_.shape(), layout_, place_))
    for_rows(block, network_.tensors()[block.tensor], [&](std::size_t from, std::size_t to, std::size_t n) {
      std::copy_n(whole.begin() + static_cast<std::ptrdiff_t>(from), n,
                  own.begin() + static_cast<std::ptrdiff_t>(to));
    });
  return own;
}

template <class T>
std::vector<T> NetworkPart<T>::whole(std::span<const T> own) const {
  const std::vector<T> all = rows_.allgatherv(own);
  std::vector<T> whole(network_.parameter_count());
  auto part = all.begin();
  for (std::uint64_t stage = 0; stage < layout_.pipeline; ++stage)
    for (std::uint64_t tensor = 0; tensor < layout_.tensor; ++tensor) {
      std::size_t length = 0;
      for (const ParameterBlock& block : blocks_of(network_.shape(), layout_, {0, tensor, stage})) {
        for_rows(block, network_.tensors()[block.tensor],
                 [&](std::size_t to, std::size_t from, std::size_t n) {
                   std::copy_n(part + static_cast<std::ptrdiff_t>(from), n,
                               whole.begin() + static_cast<std::ptrdiff_t>(to));
                 });
        length = block.offset + block.size();
      }
      part += static_cast<std::ptrdiff_t>(length);
    }
  return whole;
}

template <class T>
double NetworkPart<T>::add_up(std::span<const double> of_tensors) const {
  const std::vector<double> all = rows_.allgatherv(of_tensors);
  std::map<std::array<std::uint64_t, 3>, double> in_order;
  auto at = all.begin();
  for (std::uint64_t stage = 0; stage < layout_.pipeline; ++stage)
    for (std::uint64_t tensor = 0; tensor < layout_.tensor; ++tensor)
      for (const ParameterBlock& block : blocks_of(network_.shape(), layout_, {0, tensor, stage}))
        in_order.try_emplace({block.tensor, block.first_row, block.first_column}, *at++);
  return std::accumulate(in_order.begin(), in_order.end(), 0.0,
                         [](double sum, const auto& one) { return sum + one.second; });
}

template <class T>
unsigned NetworkPart<T>::agree(std::span<double> losses, unsigned wishes) const {
  std::vector<double> own(losses.begin(), losses.end());
  own.push_back(wishes);
  const std::vector<std::uint64_t> counts(static_cast<std::size_t>(rows_.size()), own.size());
  const std::vector<double> all =
      rows_.allgatherv(std::span<const double>(own), std::span<const std::uint64_t>(counts));
  std::copy(all.end() - static_cast<std::ptrdiff_t>(own.size()), all.end() - 1, losses.begin());
  for (std::size_t i = losses.size(); i < all.size(); i += own.size())
    wishes |= static_cast<unsigned>(all[i]);
  return wishes;
}

template <class T>
void NetworkPart<T>::Flight::land() {
  for (PendingMessages& message : sent) message.wait();
  sent.clear();
  staged.clear();
}

template <class T>
typename NetworkPart<T>::Vector NetworkPart<T>::parameters_of(std::size_t layer,
                                                              const Vector& parameters) const {
  return kernels::part_of<Device, T>(parameters, offsets_[layer], offsets_[layer + 1] - offsets_[layer]);
}

template <class T>
void NetworkPart<T>::reserve(std::size_t rows) {
  if (!flights_.empty() && reserved_ >= rows) return;
  reserved_ = rows;
  flights_.clear();
  flights_.resize(layout_.pipeline - place_.stage);
  for (Flight& flight : flights_) {
    if (!is_first()) {
      flight.input = make_input<T>(entrance_, rows);
      flight.input_delta = make_input<T>(entrance_, rows);
    }
    for (const auto& layer : layers_) {
      flight.outputs.push_back(layer->make_output(rows));
      flight.deltas.push_back(layer->make_output(rows));
      flight.memories.push_back(layer->make_memory(rows));
    }
    if (is_last()) {
      flight.deltas.back() = flight.outputs.back();  // the loss leaves its gradient there
      flight.terms = kernels::make_matrix<Device, T>(rows, network_.losses_length());
    }
  }
}

template <class T>
typename NetworkPart<T>::Passing NetworkPart<T>::passing(const Step& step, std::size_t micro_batch) {
  const bool together = layout_.pipeline == 1;
  Passing pass;
  pass.first_piece = micro_batch;
  pass.flight = &flights_[micro_batch % flights_.size()];
  const std::size_t end = together ? step.count() : micro_batch + 1;
  const std::size_t first = step.pieces.cuts[micro_batch];
  for (std::size_t i = micro_batch; i <= end; ++i) pass.cuts.push_back(step.pieces.cuts[i] - first);
  pass.pass = step.pass;
  pass.pass.first_row += first;
  const std::size_t rows = pass.cuts.back();
  if (needs_rows()) pass.rows = part_of(step.rows, first, rows);
  pass.input = is_first() ? Sliced<T>{pass.rows.features} : first_rows<T>(pass.flight->input, rows);
  pass.input_delta = first_rows<T>(pass.flight->input_delta, rows);
  for (const Sliced<T>& output : pass.flight->outputs) pass.outputs.push_back(first_rows<T>(output, rows));
  for (const Sliced<T>& delta : pass.flight->deltas) pass.deltas.push_back(first_rows<T>(delta, rows));
  return pass;
}

template <class T>
LayerRows<T> NetworkPart<T>::at(std::size_t layer, const Passing& pass) const {
  return {layer == 0 ? pass.input : pass.outputs[layer - 1],
          pass.outputs[layer],
          pass.flight->memories[layer],
          pass.cuts,
          pass.pass,
          layer == 0 && is_first() && pass.rows.is_compact() ? &pass.rows : nullptr};
}

template <class T>
void NetworkPart<T>::send(const Sliced<T>& values, std::uint64_t stage, Flight& flight) const {
  Device().fence();
  for (const Matrix& matrix : values) {
    flight.staged.push_back(Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), matrix));
    const auto& host = flight.staged.back();
    flight.sent.push_back(
        pipeline_.begin_send(std::span<const T>(host.data(), host.size()), static_cast<int>(stage)));
  }
}

template <class T>
void NetworkPart<T>::receive(const Sliced<T>& values, std::uint64_t stage) const {
  for (const Matrix& matrix : values) {
    const auto host = Kokkos::create_mirror_view(matrix);
    pipeline_.receive(std::span<T>(host.data(), host.size()), static_cast<int>(stage));
    Kokkos::deep_copy(matrix, host);
  }
}

template <class T>
void NetworkPart<T>::lose(const Step& step, Passing& pass) const {
  const Matrix& z = pass.outputs.back()[0];
  const std::size_t length = network_.losses_length();
  network_.take_losses(
      pass.rows, pass.cuts, z, kernels::rows_of<Device, T>(pass.flight->terms, 0, z.extent(0)),
      kernels::Matrix<Device>(step.losses.data() + pass.first_piece * length, pass.cuts.size() - 1, length));
}

template <class T>
void NetworkPart<T>::forward(const Step& step, Passing& pass) {
  pass.flight->land();
  if (!is_first()) receive(pass.input, place_.stage - 1);
  for (std::size_t i = 0; i < layers_.size(); ++i)
    layers_[i]->forward(parameters_of(i, step.parameters), at(i, pass));
  is_last() ? lose(step, pass) : send(pass.outputs.back(), place_.stage + 1, *pass.flight);
}

template <class T>
void NetworkPart<T>::backward(const Step& step, Passing& pass) {
  if (!is_last()) receive(pass.deltas.back(), place_.stage + 1);
  for (std::size_t i = layers_.size(); i-- > 0;) {
    layers_[i]->backward(parameters_of(i, step.parameters), at(i, pass), pass.deltas[i],
                         i == 0 ? pass.input_delta : pass.deltas[i - 1]);
    fold(i, step, pass);
  }
  if (!is_first()) send(pass.input_delta, place_.stage - 1, *pass.flight);
}

template <class T>
void NetworkPart<T>::fold(std::size_t layer, const Step& step, const Passing& pass) {
  const LayerRows<T> rows = at(layer, pass);
  const Sliced<T>& delta = pass.deltas[layer];
  const std::size_t left_out = parameter_count_ - step.gradients.front().extent(0);  // features of no row
  const auto parts = layers_[layer]->parts(rows);
  for (std::size_t number = 0; number < parts.size(); ++number) {
    const auto& part = parts[number];
    const std::size_t at = (layer == 0 ? 0 : offsets_[layer] - left_out) + part.place.offset;
    if (pass.cuts.size() == step.pieces.cuts.size()) {  // all pieces at once
      std::vector<Vector> sums;
      for (const Vector& gradient : step.gradients)
        sums.push_back(kernels::part_of<Device, T>(gradient, at, part.place.size));
      if (layers_[layer]->fold_gradient(part, rows, delta, step.pieces, sums)) continue;
    }
    PartFold& fold = folds_[{layer, number}];
    fold.at = at;
    for (std::size_t i = 0; i + 1 < pass.cuts.size(); ++i) {
      const Vector sum = fold.sums.vector(part.place.size);
      Kokkos::deep_copy(Device(), sum, T(0));
      const std::size_t first = pass.cuts[i], count = pass.cuts[i + 1] - first;
      if (count > 0) layers_[layer]->add_gradient(part, rows, delta, first, count, sum);
      fold.sums.add({0, step.pieces.first_leaf + pass.first_piece + i, sum});
    }
  }
}

template <class T>
void NetworkPart<T>::fold_gradients(const Vector& parameters, const BatchOf<T>& rows, const Pieces& pieces,
                                    const Pass& of, std::span<const Vector> gradients,
                                    const kernels::Matrix<Device>& losses) {
  Kokkos::deep_copy(Device(), losses, 0.0);
  const Step step{parameters, rows, pieces, of, gradients, losses};
  if (step.count() == 0) return;
  std::size_t largest = pieces.cuts.back();
  if (layout_.pipeline > 1) {
    largest = 0;
    for (std::size_t i = 0; i < step.count(); ++i)
      largest = std::max(largest, pieces.cuts[i + 1] - pieces.cuts[i]);
  }
  reserve(largest);
  for (const Turn& turn :
       one_forward_one_backward(place_.stage, layout_.pipeline, layout_.pipeline == 1 ? 1 : step.count())) {
    Passing pass = passing(step, turn.micro_batch);
    turn.forward ? forward(step, pass) : backward(step, pass);
  }
  for (Flight& flight : flights_) flight.land();
  for (auto& [part, fold] : folds_) {
    for (std::size_t i = 0; i < fold.sums.nodes().size(); ++i) {
      const Vector& sum = fold.sums.nodes()[i].sum;
      Kokkos::deep_copy(Device(), kernels::part_of<Device, T>(gradients[i], fold.at, sum.extent(0)), sum);
    }
    fold.sums.clear();
  }
}

template class NetworkPart<double>;
template class NetworkPart<float>;

}  // namespace kernmill::tasks
