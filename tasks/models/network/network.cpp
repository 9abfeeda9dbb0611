#include "kernmill/tasks/models/network/network.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "kernmill/kernels/loss.hpp"
#include "kernmill/kernels/reduce.hpp"

namespace kernmill::tasks {

using kernels::Device;

template <class T>
NetworkOf<T>::NetworkOf(NetworkShape shape) : shape_(std::move(shape)), layers_(make_layers<T>(shape_)) {
  for (const auto& layer : layers_) {
    offsets_.push_back(parameter_count_);
    for (ParameterTensor tensor : layer->tensors()) {
      tensor.offset = parameter_count_;
      parameter_count_ += tensor.size();
      tensors_.push_back(std::move(tensor));
    }
  }
  offsets_.push_back(parameter_count_);
  term_sums_ = kernels::make_vector<Device>(losses_length());
  outputs_.resize(layers_.size());
  deltas_.resize(layers_.size());
}

template <class T>
std::vector<LayerExtent> NetworkOf<T>::layers() const {
  std::vector<LayerExtent> extents;
  for (std::size_t i = 0; i < layers_.size(); ++i)
    extents.push_back({layers_[i]->inputs(), layers_[i]->outputs(), offsets_[i], offsets_[i + 1]});
  return extents;
}

template <class T>
std::vector<double> NetworkOf<T>::start(std::uint64_t seed) const {
  std::vector<double> parameters(parameter_count_);
  for (std::size_t i = 0; i < layers_.size(); ++i)
    layers_[i]->start(seed, i, std::span(parameters).subspan(offsets_[i], offsets_[i + 1] - offsets_[i]));
  return parameters;
}

template <class T>
void NetworkOf<T>::weigh_classes(const std::vector<double>& weights) {
  class_weights_ = kernels::make_vector<Device>(weights.size());
  Kokkos::deep_copy(class_weights_, kernels::host_vector(weights.data(), weights.size()));
}

template <class T>
void NetworkOf<T>::tell_weight() {
  tells_weight_ = true;
  term_sums_ = kernels::make_vector<Device>(losses_length());
}

template <class T>
void NetworkOf<T>::reserve(std::size_t rows) {
  if (terms_.extent(0) >= rows) return;
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    outputs_[i] = kernels::make_matrix<Device, T>(rows, layers_[i]->outputs());
    deltas_[i] = kernels::make_matrix<Device, T>(rows, layers_[i]->outputs());
  }
  terms_ = kernels::make_matrix<Device, T>(rows, losses_length());
}

template <class T>
typename NetworkOf<T>::Matrix NetworkOf<T>::output(std::size_t layer, std::size_t rows) const {
  return kernels::rows_of<Device, T>(outputs_[layer], 0, rows);
}

template <class T>
BatchOf<T> NetworkOf<T>::input(std::size_t layer, const Batches& batch) const {
  if (layer == 0) return batch;
  Batches rows;
  rows.features = output(layer - 1, batch.rows());
  return rows;
}

template <class T>
typename NetworkOf<T>::Vector NetworkOf<T>::parameters_of(std::size_t layer, const Vector& parameters) const {
  return kernels::part_of<Device, T>(parameters, offsets_[layer], offsets_[layer + 1] - offsets_[layer]);
}

template <class T>
typename NetworkOf<T>::Matrix NetworkOf<T>::forward(const Vector& parameters, const Batches& batch, Cuts cuts,
                                                    const Pass& pass) {
  const std::size_t rows = batch.rows();
  reserve(rows);
  for (std::size_t i = 0; i < layers_.size(); ++i)
    layers_[i]->forward(parameters_of(i, parameters), input(i, batch), cuts, pass, output(i, rows));
  return output(layers_.size() - 1, rows);
}

template <class T>
typename NetworkOf<T>::Matrix NetworkOf<T>::forward(const Vector& parameters, const Batches& batch) {
  const std::array<std::size_t, 2> whole{0, batch.rows()};
  return forward(parameters, batch, whole, {});
}

template <class T>
void NetworkOf<T>::take_losses(const Batches& batch, const Matrix& z, const Matrix& terms) const {
  apply_loss<T>(shape_.loss, {batch.labels, batch.numbers}, z, terms);
  if (class_weights_.extent(0) > 0)
    kernels::weigh_rows<Device, T>(Device(), class_weights_, batch.labels, z, terms, loss_parts());
  if (batch.weights.extent(0) > 0)
    kernels::weigh_rows<Device, T>(Device(), batch.weights, z, terms, loss_parts());
}

template <class T>
void NetworkOf<T>::take_losses(const Batches& batch, Cuts cuts, const Matrix& z, const Matrix& terms,
                               const kernels::Matrix<Device>& losses) const {
  take_losses(batch, z, terms);
  for (std::size_t i = 0; i + 1 < cuts.size(); ++i)
    kernels::column_sums<Device, T, double>(
        Device(), kernels::rows_of<Device, T>(terms, cuts[i], cuts[i + 1] - cuts[i]),
        Losses(losses.data() + i * losses_length(), losses_length()));
}

template <class T>
template <class Take>
void NetworkOf<T>::backward(const Vector& parameters, const Batches& batch, Cuts cuts, const Take& take) {
  const std::size_t rows = batch.rows();
  Matrix delta = output(layers_.size() - 1, rows);  // the loss left its gradient here
  for (std::size_t i = layers_.size(); i-- > 0;) {
    const Batches rows_in = input(i, batch);
    const Matrix next = i == 0 ? Matrix() : kernels::rows_of<Device, T>(deltas_[i - 1], 0, rows);
    layers_[i]->backward(parameters_of(i, parameters), rows_in, output(i, rows), cuts, delta, next);
    take(i, rows_in, delta);
    delta = next;
  }
}

template <class T>
void NetworkOf<T>::add_losses(const Vector& parameters, const Batches& batch, const Losses& out) {
  const std::size_t rows = batch.rows();
  for (std::size_t first = 0; first < rows; first += chunk_rows) {
    const Batches chunk = part_of(batch, first, std::min(chunk_rows, rows - first));
    const Matrix z = forward(parameters, chunk), terms = kernels::rows_of<Device, T>(terms_, 0, z.extent(0));
    take_losses(chunk, z, terms);
    kernels::column_sums<Device, T, double>(Device(), terms, term_sums_);
    kernels::add<Device>(Device(), term_sums_, out);
  }
}

template <class T>
void NetworkOf<T>::add_sums(const Vector& parameters, const Batches& batch, const Vector& gradient,
                            const Losses& losses) {
  const std::size_t rows = batch.rows();
  for (std::size_t first = 0; first < rows; first += chunk_rows) {
    const Batches chunk = part_of(batch, first, std::min(chunk_rows, rows - first));
    const std::array<std::size_t, 2> whole{0, chunk.rows()};
    add_losses(parameters, chunk, losses);
    backward(parameters, chunk, whole, [&](std::size_t i, const Batches& rows_in, const Matrix& delta) {
      for (const GradientPart& part : layers_[i]->parts(rows_in))
        layers_[i]->add_gradient(part, rows_in, delta, 0, chunk.rows(),
                                 kernels::part_of<Device, T>(gradient, offsets_[i] + part.offset, part.size));
    });
  }
}

template <class T>
void NetworkOf<T>::fold_part(std::size_t layer, const GradientPart& part, const Batches& rows_in,
                             const Matrix& delta, const Pieces& pieces, std::span<const Vector> gradients,
                             std::size_t at) {
  std::vector<Vector> parts;
  parts.reserve(gradients.size());
  for (const Vector& gradient : gradients)
    parts.push_back(kernels::part_of<Device, T>(gradient, at, part.size));
  if (layers_[layer]->fold_gradient(part, rows_in, delta, pieces, parts)) return;
  auto& fold =
      folds_[rows_in.is_compact() ? 0 : part.size];  // compact parts have a size of their own each time
  for (std::size_t i = 0; i + 1 < pieces.cuts.size(); ++i) {
    const bool alone = pieces.cuts.size() == 2;
    const Vector sum = alone ? parts[0] : fold.vector(part.size);
    Kokkos::deep_copy(Device(), sum, T(0));
    const std::size_t first = pieces.cuts[i], count = pieces.cuts[i + 1] - first;
    if (count > 0) layers_[layer]->add_gradient(part, rows_in, delta, first, count, sum);
    if (!alone) fold.add({0, pieces.first_leaf + i, sum});
  }
  for (std::size_t i = 0; i < fold.nodes().size(); ++i)
    Kokkos::deep_copy(Device(), parts[i], fold.nodes()[i].sum);
  fold.clear();
}

template <class T>
void NetworkOf<T>::without_rows(std::span<const Vector> gradients, const kernels::Matrix<Device>& losses,
                                std::size_t left_out, const Ready& ready) const {
  for (const Vector& gradient : gradients) Kokkos::deep_copy(Device(), gradient, T(0));
  Kokkos::deep_copy(Device(), losses, 0.0);
  for (std::size_t i = layers_.size(); i-- > 0 && ready;) {
    const std::size_t at = i == 0 ? 0 : offsets_[i] - left_out;
    const std::size_t size = offsets_[i + 1] - left_out - at;
    if (size > 0) ready({at, size});
  }
}

template <class T>
void NetworkOf<T>::fold_gradients(const Vector& parameters, const Batches& batch, const Pieces& pieces,
                                  const Pass& pass, std::span<const Vector> gradients,
                                  const kernels::Matrix<Device>& losses, const Ready& ready) {
  if (gradients.empty()) return;
  const std::size_t left_out = parameter_count_ - gradients.front().extent(0);  // features that no row has
  if (batch.rows() == 0) return without_rows(gradients, losses, left_out, ready);
  const Matrix z = forward(parameters, batch, pieces.cuts, pass);
  take_losses(batch, pieces.cuts, z, kernels::rows_of<Device, T>(terms_, 0, z.extent(0)), losses);
  backward(parameters, batch, pieces.cuts, [&](std::size_t i, const Batches& rows_in, const Matrix& delta) {
    const std::size_t at = i == 0 ? 0 : offsets_[i] - left_out;
    const auto parts = layers_[i]->parts(rows_in);
    for (const GradientPart& part : parts)
      fold_part(i, part, rows_in, delta, pieces, gradients, at + part.offset);
    if (ready && !parts.empty()) ready({at, parts.back().offset + parts.back().size});
  });
}

template class NetworkOf<double>;
template class NetworkOf<float>;

}  // namespace kernmill::tasks
