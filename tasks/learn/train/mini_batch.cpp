#include "kernmill/tasks/learn/train/mini_batch.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>

#include <fmt/format.h>

#include "kernmill/tasks/learn/monitor/not_finite.hpp"
#include "kernmill/tasks/learn/rows/compact_columns.hpp"
#include "kernmill/tasks/learn/rows/row_order.hpp"
#include "kernmill/tasks/learn/rows/window_rows.hpp"
#include "kernmill/tasks/learn/train/parameter_update.hpp"
#include "kernmill/tasks/models/tensors.hpp"

namespace kernmill::tasks {
namespace {

using kernels::Device;

// The epoch's order and the starting weights draw from streams of their own.
constexpr std::uint64_t order_key = 0x6b65726e6d696c6cULL;

template <class T>
void to_device(const std::vector<T>& values, const kernels::Vector<Device, T>& out) {
  Kokkos::deep_copy(out, kernels::host_vector(values.data(), values.size()));
}

template <class T>
std::vector<T> to_host(const kernels::Vector<Device, T>& values) {
  std::vector<T> out(values.extent(0));
  Kokkos::deep_copy(kernels::host_vector(out.data(), out.size()), values);
  return out;
}

template <class T>
class BatchTraining {
 public:
  using Vector = kernels::Vector<Device, T>;

  BatchTraining(const BatchTask<T>& task, Session& session)
      : settings_(task.optimizer),
        seed_(task.seed),
        criterion_(task.criterion),
        rows_(task.rows.count()),
        batches_((rows_ + settings_.batch_size - 1) / settings_.batch_size),
        pieces_(task.summing == Summing::fast
                    ? static_cast<std::uint64_t>(session.comm().size())
                    : micro_batches(settings_.batch_size, task.network.parameter_count())),
        network_(task.network),
        part_(task.part),
        comm_(part_ == nullptr ? session.comm() : part_->data()),
        is_sparse_(task.rows.is_sparse()),
        loader_(task.rows, network_.shape().loss),
        shuffle_(shuffle_of(settings_.shuffle, rows_, task.rows.row_bytes())),
        sum_(comm_, task.summing, pieces_, network_.losses_length(), !is_sparse_ && !settings_.clip_norm),
        session_(session),
        rates_(settings_.schedule, settings_.learning_rate, batches_, settings_.epochs * batches_),
        held_out_(task.held_out),
        parameters_("parameters", own_count()),
        update_(settings_, criterion_, part_ == nullptr ? network_.tensors() : part_->tensors(),
                sum_.share(own_count(), comm_.rank())) {
    if (settings_.early_stopping) best_.emplace(*settings_.early_stopping);
    if (is_sparse_) whole_gradient_ = Vector("gradient", network_.parameter_count());
    if (task.reads == Reads::large && WindowRows::can_read(task.rows, shuffle_))
      windows_.emplace(comm_, task.rows, network_.shape().loss);
  }

  Trained run(const std::vector<double>& start);

 private:
  struct Slice {
    std::uint64_t begin, end;  ///< positions in the epoch's order
  };
  [[nodiscard]] Slice batch(std::uint64_t step) const;
  [[nodiscard]] storage::IndexRange piece(Slice batch, std::uint64_t leaf) const;
  [[nodiscard]] std::vector<std::size_t> own_cuts(Slice batch) const;
  std::vector<std::uint64_t> own_rows(std::uint64_t step);
  /// Of the parameters that this rank trains: all, or those of its part of the network.
  [[nodiscard]] std::size_t own_count() const {
    return part_ == nullptr ? network_.parameter_count() : part_->parameter_count();
  }
  [[nodiscard]] std::vector<T> own_of(const std::vector<T>& whole) const {
    return part_ == nullptr ? whole : part_->take(whole);
  }
  [[nodiscard]] std::vector<T> whole_of(std::vector<T> own) const {
    return part_ == nullptr ? std::move(own) : part_->whole(own);
  }
  BatchSum<T> part_sum(Slice slice);
  BatchSum<T> batch_sum(Slice batch);
  void step();
  BatchOf<T> rows_of_step(Slice slice);
  [[nodiscard]] Batch load(Slice slice, const std::vector<std::uint64_t>& numbers);
  [[nodiscard]] Vector whole(const BatchSum<T>& sum);
  void note_norm(double scale, const Vector& gradient);
  void share_parameters();
  void begin(const std::vector<double>& start);
  void resume(const storage::Checkpoint& checkpoint);
  void end_epoch(std::uint64_t total);
  [[nodiscard]] Progress progress() const;
  [[nodiscard]] std::vector<double> parameters() const;
  [[nodiscard]] std::vector<T> of_all_ranks(const Vector& own) const;
  [[nodiscard]] std::string line(std::uint64_t epoch, const std::string& held_out) const;
  [[nodiscard]] storage::Checkpoint state() const;

  OptimizerSettings settings_;
  std::uint64_t seed_;
  Criterion criterion_;
  std::uint64_t rows_, batches_, pieces_;
  NetworkOf<T>& network_;
  NetworkPart<T>* part_;      ///< none where every rank has all layers
  const Communicator& comm_;  ///< the ranks that share the rows
  bool is_sparse_;
  BatchLoader loader_;
  BatchAs<T> as_;
  std::optional<WindowRows> windows_;  ///< in its place where single rows are dear
  CompactColumns compact_;             ///< of a batch of sparse rows
  Shuffle shuffle_;
  std::optional<RowOrder> order_;
  std::uint64_t order_epoch_ = 0;
  GradientSum<T> sum_;
  Session& session_;
  RateSchedule rates_;
  HeldOutLoss held_out_;
  std::optional<BestEpoch> best_;
  bool stops_early_ = false;
  Vector parameters_, whole_gradient_;  ///< whole_gradient_: of sparse rows, with the features left out
  ParameterUpdate<T> update_;
  std::uint64_t step_ = 0;  ///< batches done, over all epochs
  unsigned wishes_ = 0;     ///< of all ranks, at the last step
  double epoch_loss_ = 0, epoch_right_ = 0;
  double held_out_loss_ = Progress::unknown;  ///< of the last epoch
  double gradient_norm_ = Progress::unknown;
  std::uint64_t first_step_ = 0;     ///< of this attempt
  std::vector<double> part_losses_;  ///< of the last batch, in a layout of layers
};

template <class T>
void BatchTraining<T>::begin(const std::vector<double>& start) {
  if (const auto checkpoint = session_.resume()) return resume(*checkpoint);
  to_device<T>(own_of({start.begin(), start.end()}), parameters_);
}

template <class T>
void BatchTraining<T>::resume(const storage::Checkpoint& checkpoint) {
  const std::size_t count = network_.parameter_count();
  const auto restore = [&](const char* name, const Vector& to, storage::IndexRange range) {
    const std::vector<T> values = own_of(values_of<T>(checkpoint.tensors, name, count));
    to_device<T>({values.begin() + static_cast<std::ptrdiff_t>(range.begin),
                  values.begin() + static_cast<std::ptrdiff_t>(range.end)},
                 to);
  };
  first_step_ = step_ = checkpoint.step;
  restore("parameters", parameters_, {0, own_count()});
  restore("first", update_.first(), update_.range());
  if (update_.second().extent(0) > 0) restore("second", update_.second(), update_.range());
  const auto& epoch = values_of(checkpoint.tensors, "epoch", 2);
  epoch_loss_ = epoch.at(0);
  epoch_right_ = epoch.at(1);
  if (holds(checkpoint.tensors, "rates"))  // not there in checkpoints from before
    rates_.restore(values_of(checkpoint.tensors, "rates", rates_.state().size()));
  if (best_) best_->restore(checkpoint, count);
}

template <class T>
Trained BatchTraining<T>::run(const std::vector<double>& start) {
  begin(start);
  const std::uint64_t total = settings_.epochs * batches_;
  while (step_ < total && !stops_early_) {
    step();
    session_.tell(progress());
    if (step_ % batches_ == 0) end_epoch(total);
    if (step_ < total && !stops_early_) session_.after_step(step_, wishes_, [&] { return state(); });
  }
  if (!best_) return {parameters(), step_, settings_.epochs};
  return {best_->parameters(), step_, step_ / batches_, best_->epoch(), best_->loss()};
}

template <class T>
typename BatchTraining<T>::Slice BatchTraining<T>::batch(std::uint64_t step) const {
  const std::uint64_t first = step % batches_ * settings_.batch_size;
  return {first, std::min(first + settings_.batch_size, rows_)};
}

template <class T>
storage::IndexRange BatchTraining<T>::piece(Slice batch, std::uint64_t leaf) const {
  return storage::even_share(batch.end - batch.begin, static_cast<int>(leaf), static_cast<int>(pieces_));
}

/// Where this rank's pieces begin among its rows, and the end.
template <class T>
std::vector<std::size_t> BatchTraining<T>::own_cuts(Slice batch) const {
  const storage::IndexRange own = sum_.own();
  std::vector<std::size_t> cuts{0};
  for (std::uint64_t leaf = own.begin; leaf < own.end; ++leaf)
    cuts.push_back(cuts.back() + piece(batch, leaf).count());
  return cuts;
}

/// Those of this rank's pieces of the step's batch, in their order.
template <class T>
std::vector<std::uint64_t> BatchTraining<T>::own_rows(std::uint64_t step) {
  const std::uint64_t epoch = step / batches_;
  if (!order_ || order_epoch_ != epoch) {
    order_.emplace(rows_, shuffle_, seed_ ^ order_key, epoch);
    order_epoch_ = epoch;
  }
  std::vector<std::uint64_t> numbers;
  const Slice slice = batch(step);
  const storage::IndexRange own = sum_.own();
  if (own.count() == 0) return numbers;
  const std::uint64_t end = slice.begin + piece(slice, own.end - 1).end;
  for (std::uint64_t i = slice.begin + piece(slice, own.begin).begin; i < end; ++i)
    numbers.push_back((*order_)(i));
  return numbers;
}

template <class T>
Batch BatchTraining<T>::load(Slice slice, const std::vector<std::uint64_t>& numbers) {
  if (windows_) {
    windows_->hold(*order_, order_epoch_, slice.begin, slice.end);
    return numbers.empty() ? Batch{} : windows_->load(numbers);
  }
  static const storage::SparseRows none;
  Batch batch = numbers.empty() ? Batch{} : loader_.load(numbers);
  if (is_sparse_) compact_.set(session_.comm(), numbers.empty() ? none : loader_.loaded().sparse, batch);
  return batch;
}

/// This rank's rows of the step's batch; those of the next are read meanwhile.
template <class T>
BatchOf<T> BatchTraining<T>::rows_of_step(Slice slice) {
  BatchOf<T> rows = as_(load(slice, own_rows(step_)));
  session_.judge(windows_ ? windows_->reading() : loader_.reading());
  if (!windows_ && step_ + 1 < settings_.epochs * batches_) loader_.prefetch(own_rows(step_ + 1));
  return rows;
}

/// In a layout of layers: of this rank's part; the losses are the whole network's.
template <class T>
BatchSum<T> BatchTraining<T>::part_sum(Slice slice) {
  const BatchOf<T> rows = part_->needs_rows() ? rows_of_step(slice) : BatchOf<T>();
  part_->fold_gradients(parameters_, rows, {own_cuts(slice), sum_.own().begin}, sum_.gradients(own_count()),
                        sum_.losses());
  BatchSum<T> sum = sum_.sum(session_.wishes());
  part_losses_.assign(sum.losses.begin(), sum.losses.end());
  wishes_ = part_->agree(part_losses_, sum_.wishes());
  sum.losses = part_losses_;
  return sum;
}

template <class T>
BatchSum<T> BatchTraining<T>::batch_sum(Slice slice) {
  if (part_ != nullptr) return part_sum(slice);
  const BatchOf<T> rows = rows_of_step(slice);
  const std::size_t length =
      is_sparse_ ? network_.gradient_length(compact_.features().size()) : network_.parameter_count();
  const storage::IndexRange own = sum_.own();
  const std::uint64_t first = own.count() == 0 ? 0 : piece(slice, own.begin).begin;
  network_.fold_gradients(parameters_, rows, {own_cuts(slice), own.begin}, {true, seed_, step_, first},
                          sum_.gradients(length), sum_.losses(),
                          [&](GradientPart part) { sum_.ready(part); });
  BatchSum<T> sum = sum_.sum(session_.wishes());
  wishes_ = sum_.wishes();
  return sum;
}

/// Of sparse rows: with the features that the batch has nothing of.
template <class T>
typename BatchTraining<T>::Vector BatchTraining<T>::whole(const BatchSum<T>& sum) {
  if (!is_sparse_) return sum.gradient;
  const std::vector<std::uint32_t>& features = compact_.features();
  const std::size_t outputs = network_.layer_outputs(0);
  using Places = kernels::SparseRows<Device>::Array<std::uint32_t>;
  const kernels::SparseRows<kernels::Host>::Array<std::uint32_t> host(features.data(), features.size());
  const Places places = Kokkos::create_mirror_view_and_copy(Device::memory_space(), host);
  kernels::scatter_rows<Device, T>(
      Device(), kernels::matrix_of<Device, T>(sum.gradient, 0, features.size(), outputs), places,
      kernels::matrix_of<Device, T>(whole_gradient_, 0, network_.features(), outputs));
  const std::size_t at = network_.features() * outputs, from = features.size() * outputs;
  Kokkos::deep_copy(kernels::part_of<Device, T>(whole_gradient_, at, whole_gradient_.extent(0) - at),
                    kernels::part_of<Device, T>(sum.gradient, from, sum.gradient.extent(0) - from));
  return whole_gradient_;
}

/// Collective, where somebody may read it.
template <class T>
void BatchTraining<T>::note_norm(double scale, const Vector& gradient) {
  const bool ends_epoch = (step_ + 1) % batches_ == 0;
  if ((!ends_epoch && (wishes_ & wish_to_tell) == 0) || part_ != nullptr) return;
  double square = update_.squared_norm(scale, gradient, parameters_);
  if (sum_.cuts(own_count())) square = comm_.allreduce(square, Reduction::sum);
  gradient_norm_ = std::sqrt(square);
}

template <class T>
void BatchTraining<T>::step() {
  const Slice slice = batch(step_);
  const BatchSum<T> sum = batch_sum(slice);
  const double loss = std::accumulate(sum.losses.begin(), sum.losses.end() - 1, 0.0);
  session_.check_finite(loss, step_, "batch", [&] {
    if (part_ != nullptr) return std::string("in a layout of layers it is not told which");
    const std::vector<T> gradient = is_sparse_ ? std::vector<T>() : to_host<T>(sum.gradient);
    return first_not_finite(network_.layers(), parameters(), sum.range.begin,
                            {gradient.begin(), gradient.end()});
  });
  epoch_loss_ += loss;
  epoch_right_ += sum.losses.back();
  // The batch stands for all rows.
  const double share = static_cast<double>(rows_) / static_cast<double>(slice.end - slice.begin);
  const double scale = criterion_.weight * criterion_.step_weight * share;
  const Vector gradient = whole(sum);
  note_norm(scale, gradient);
  update_(rates_.rate(step_), step_, scale, gradient, parameters_);
  share_parameters();
  ++step_;
}

/// Where each rank has updated a slice: all of them to all.
template <class T>
void BatchTraining<T>::share_parameters() {
  if (!sum_.cuts(own_count())) return;
  const auto host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), parameters_);
  sum_.complete(std::span<T>(host.data(), host.extent(0)));
  Kokkos::deep_copy(parameters_, host);
}

/// Collective in a layout of layers.
template <class T>
std::vector<double> BatchTraining<T>::parameters() const {
  const std::vector<T> values = whole_of(to_host<T>(parameters_));
  return {values.begin(), values.end()};
}

/// Collective where ranks have slices.
template <class T>
std::vector<T> BatchTraining<T>::of_all_ranks(const Vector& own) const {
  const std::vector<T> part = to_host<T>(own);
  std::vector<T> all(own_count());
  std::copy(part.begin(), part.end(), all.begin() + static_cast<std::ptrdiff_t>(update_.range().begin));
  sum_.complete(std::span<T>(all));
  return whole_of(std::move(all));
}

template <class T>
void BatchTraining<T>::end_epoch(std::uint64_t total) {
  const std::uint64_t epoch = step_ / batches_;
  std::string held_out;
  if (best_) {
    const std::vector<double> at = parameters();
    const double loss = held_out_(at);
    stops_early_ = best_->take(epoch, loss, at);
    held_out = fmt::format(" validation {:.6g}", loss);
    held_out_loss_ = loss;
  }
  session_.progress(step_ == total || stops_early_, [&] { return line(epoch, held_out); });
  rates_.end_epoch(epoch_loss_ / static_cast<double>(rows_));
  epoch_loss_ = epoch_right_ = 0;
}

template <class T>
Progress BatchTraining<T>::progress() const {
  const std::uint64_t in_epoch = (step_ - 1) % batches_ + 1, epoch = (step_ - 1) / batches_ + 1;
  const auto rows = static_cast<double>(std::min(in_epoch * settings_.batch_size, rows_));
  const bool numbers = network_.shape().loss.is_of_numbers();
  Progress now;
  now.step = step_;
  now.steps = settings_.epochs * batches_;
  now.epoch = epoch;
  now.epochs = settings_.epochs;
  now.ends_period = in_epoch == batches_;
  now.may_end_before = best_.has_value();
  now.loss = epoch_loss_ / rows / (numbers ? static_cast<double>(network_.outputs()) : 1.0);
  if (!numbers) now.accuracy = epoch_right_ / rows;
  now.held_out_loss = held_out_loss_;
  now.rate = rates_.rate(step_ - 1);
  now.gradient_norm = gradient_norm_;
  now.rows = (step_ - first_step_) * settings_.batch_size;
  return now;
}

template <class T>
std::string BatchTraining<T>::line(std::uint64_t epoch, const std::string& held_out) const {
  const auto rows = static_cast<double>(rows_);
  const bool numbers = network_.shape().loss.is_of_numbers();
  const double loss = epoch_loss_ / rows / (numbers ? static_cast<double>(network_.outputs()) : 1.0);
  std::string text = fmt::format("epoch {}/{} loss {:.6g}", epoch, settings_.epochs, loss);
  if (!numbers) text += fmt::format(" accuracy {:.4f}", epoch_right_ / rows);
  text += held_out;
  if (rates_.changes()) text += fmt::format(" rate {:.3g}", rates_.rate(step_ - 1));
  return text;
}

template <class T>
storage::Checkpoint BatchTraining<T>::state() const {
  storage::Checkpoint checkpoint;
  checkpoint.tensors = {vector_tensor("parameters", whole_of(to_host<T>(parameters_))),
                        vector_tensor("first", of_all_ranks(update_.first())),
                        vector_tensor("epoch", std::vector<double>{epoch_loss_, epoch_right_}),
                        vector_tensor("rates", rates_.state())};
  if (update_.second().extent(0) > 0)
    checkpoint.tensors.push_back(vector_tensor("second", of_all_ranks(update_.second())));
  if (best_) best_->add_to(checkpoint);
  return checkpoint;
}

}  // namespace

template <class T>
Trained train_in_batches(const BatchTask<T>& task, const std::vector<double>& start, Session& session) {
  return BatchTraining<T>(task, session).run(start);
}

template Trained train_in_batches(const BatchTask<double>&, const std::vector<double>&, Session&);
template Trained train_in_batches(const BatchTask<float>&, const std::vector<double>&, Session&);

}  // namespace kernmill::tasks
