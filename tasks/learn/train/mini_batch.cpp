#include "kernmill/tasks/learn/train/mini_batch.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>

#include <fmt/format.h>

#include "kernmill/kernels/optimizer.hpp"
#include "kernmill/tasks/learn/monitor/not_finite.hpp"
#include "kernmill/tasks/learn/rows/compact_columns.hpp"
#include "kernmill/tasks/learn/rows/row_order.hpp"
#include "kernmill/tasks/learn/rows/window_rows.hpp"
#include "kernmill/tasks/models/tensors.hpp"

namespace kernmill::tasks {
namespace {

using kernels::Device;
using kernels::Host;
using Vector = kernels::Vector<Device>;

// The epoch's order and the starting weights draw from streams of their own.
constexpr std::uint64_t order_key = 0x6b65726e6d696c6cULL;

Vector to_device(const std::vector<double>& values) {
  Vector out = kernels::make_vector<Device>(values.size());
  const kernels::ConstVector<Host> source(values.data(), values.size());
  Kokkos::deep_copy(out, source);
  return out;
}

std::vector<double> to_host(const Vector& values) {
  std::vector<double> out(values.extent(0));
  Kokkos::deep_copy(kernels::host_vector(out.data(), out.size()), values);
  return out;
}

double norm_of(const std::vector<double>& values) {
  return std::sqrt(std::inner_product(values.begin(), values.end(), values.begin(), 0.0));
}

class BatchTraining {
 public:
  BatchTraining(const OptimizerSettings& settings, std::uint64_t seed, const Criterion& criterion,
                const Rows& rows, Network& network, Session& session, Reads reads, HeldOutLoss held_out)
      : settings_(settings),
        seed_(seed),
        criterion_(criterion),
        rows_(rows.count()),
        batches_((rows_ + settings.batch_size - 1) / settings.batch_size),
        pieces_(micro_batches(settings.batch_size, network.parameter_count())),
        network_(network),
        is_sparse_(rows.is_sparse()),
        loader_(rows, network.shape().loss),
        shuffle_(shuffle_of(settings.shuffle, rows.count(), rows.row_bytes())),
        sum_(session.comm(), pieces_, network.sums_length()),
        session_(session),
        rates_(settings.schedule, settings.learning_rate, batches_, settings.epochs * batches_),
        held_out_(std::move(held_out)) {
    if (settings.early_stopping) best_.emplace(*settings.early_stopping);
    if (reads == Reads::large && WindowRows::can_read(rows, shuffle_))
      windows_.emplace(session.comm(), rows, network.shape().loss);
  }

  Trained run(const std::vector<double>& start);

 private:
  struct Slice {
    std::uint64_t begin, end;  ///< positions in the epoch's order
  };
  [[nodiscard]] Slice batch(std::uint64_t step) const;
  [[nodiscard]] storage::IndexRange piece(Slice batch, std::uint64_t leaf) const;
  std::vector<std::uint64_t> own_rows(std::uint64_t step);
  std::span<const double> batch_sums(Slice batch);
  void step();
  [[nodiscard]] Batch load(Slice slice, const std::vector<std::uint64_t>& numbers);
  void set_gradient(std::span<const double> sums, double share);
  void clip_gradient();
  void decay_weights(double rate);
  void update(double rate);
  void begin(const std::vector<double>& start);
  void end_epoch(std::uint64_t total);
  [[nodiscard]] Progress progress() const;
  [[nodiscard]] std::string line(std::uint64_t epoch, const std::string& held_out) const;
  [[nodiscard]] storage::Checkpoint state() const;

  OptimizerSettings settings_;
  std::uint64_t seed_;
  Criterion criterion_;
  std::uint64_t rows_, batches_, pieces_;
  Network& network_;
  bool is_sparse_;
  BatchLoader loader_;
  std::optional<WindowRows> windows_;  ///< in its place where single rows are dear
  CompactColumns compact_;             ///< of a batch of sparse rows
  Shuffle shuffle_;
  std::optional<RowOrder> order_;
  std::uint64_t order_epoch_ = 0;
  LeafSum<Device> sum_;
  Session& session_;
  RateSchedule rates_;
  HeldOutLoss held_out_;
  std::optional<BestEpoch> best_;
  bool stops_early_ = false;
  Vector parameters_, first_, second_;  ///< first_: velocity, or Adam's mean; second_: Adam's square
  std::vector<double> gradient_;
  std::uint64_t step_ = 0;  ///< batches done, over all epochs
  double epoch_loss_ = 0, epoch_right_ = 0;
  double held_out_loss_ = Progress::unknown;  ///< of the last epoch
  std::uint64_t first_step_ = 0;              ///< of this attempt
};

void BatchTraining::begin(const std::vector<double>& start) {
  const std::vector<double> zeros(start.size(), 0.0);
  if (const auto checkpoint = session_.resume()) {
    first_step_ = step_ = checkpoint->step;
    parameters_ = to_device(values_of(checkpoint->tensors, "parameters", start.size()));
    first_ = to_device(values_of(checkpoint->tensors, "first", start.size()));
    second_ = to_device(values_of(checkpoint->tensors, "second", start.size()));
    const auto& epoch = values_of(checkpoint->tensors, "epoch", 2);
    epoch_loss_ = epoch.at(0);
    epoch_right_ = epoch.at(1);
    if (holds(checkpoint->tensors, "rates"))  // not there in checkpoints from before
      rates_.restore(values_of(checkpoint->tensors, "rates", rates_.state().size()));
    if (best_) best_->restore(*checkpoint, start.size());
    return;
  }
  parameters_ = to_device(start);
  first_ = to_device(zeros);
  second_ = to_device(zeros);
}

Trained BatchTraining::run(const std::vector<double>& start) {
  begin(start);
  const std::uint64_t total = settings_.epochs * batches_;
  while (step_ < total && !stops_early_) {
    step();
    session_.tell(progress());
    if (step_ % batches_ == 0) end_epoch(total);
    if (step_ < total && !stops_early_) session_.after_step(step_, sum_.wishes(), [&] { return state(); });
  }
  if (!best_) return {to_host(parameters_), step_, settings_.epochs};
  return {best_->parameters(), step_, step_ / batches_, best_->epoch(), best_->loss()};
}

BatchTraining::Slice BatchTraining::batch(std::uint64_t step) const {
  const std::uint64_t first = step % batches_ * settings_.batch_size;
  return {first, std::min(first + settings_.batch_size, rows_)};
}

storage::IndexRange BatchTraining::piece(Slice batch, std::uint64_t leaf) const {
  return storage::even_share(batch.end - batch.begin, static_cast<int>(leaf), static_cast<int>(pieces_));
}

/// Those of this rank's pieces of the step's batch, in their order.
std::vector<std::uint64_t> BatchTraining::own_rows(std::uint64_t step) {
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

Batch BatchTraining::load(Slice slice, const std::vector<std::uint64_t>& numbers) {
  if (windows_) {
    windows_->hold(*order_, order_epoch_, slice.begin, slice.end);
    return numbers.empty() ? Batch{} : windows_->load(numbers);
  }
  static const storage::SparseRows none;
  Batch batch = numbers.empty() ? Batch{} : loader_.load(numbers);
  if (!is_sparse_) return batch;
  compact_.set(session_.comm(), numbers.empty() ? none : loader_.loaded().sparse, batch);
  sum_.set_length(network_.sums_length(compact_.features().size()));
  return batch;
}

std::span<const double> BatchTraining::batch_sums(Slice batch) {
  const std::vector<std::uint64_t> numbers = own_rows(step_);
  const Batch all = load(batch, numbers);
  session_.judge(windows_ ? windows_->reading() : loader_.reading());
  if (!windows_ && step_ + 1 < settings_.epochs * batches_) loader_.prefetch(own_rows(step_ + 1));
  const storage::IndexRange own = sum_.own();
  const std::uint64_t first = own.count() == 0 ? 0 : piece(batch, own.begin).begin;
  const auto piece_sums = [&](std::uint64_t leaf, const Vector& out) {
    const storage::IndexRange range = piece(batch, leaf);
    network_.sums(parameters_,
                  range.count() == 0 ? Batch{} : part_of(all, range.begin - first, range.count()), out);
  };
  return sum_(piece_sums, session_.wishes());
}

void BatchTraining::step() {
  const Slice slice = batch(step_);
  const auto sums = batch_sums(slice);
  const auto losses = sums.last(network_.losses_length());
  const double loss = std::accumulate(losses.begin(), losses.end() - 1, 0.0);
  session_.check_finite(loss, step_, "batch", [&] {
    return first_not_finite(network_.layers(), to_host(parameters_),
                            is_sparse_ ? std::span<const double>() : sums.first(network_.parameter_count()));
  });
  epoch_loss_ += loss;
  epoch_right_ += losses.back();
  // The batch stands for all rows.
  const double share = static_cast<double>(rows_) / static_cast<double>(slice.end - slice.begin);
  set_gradient(sums.first(sums.size() - losses.size()), share);
  if (settings_.clip_norm) clip_gradient();
  update(rates_.rate(step_));
  ++step_;
}

/// From sums over the rows, which of sparse ones leave out the features that the batch has nothing of.
void BatchTraining::set_gradient(std::span<const double> sums, double share) {
  const std::size_t outputs = network_.layers().front().outputs;
  const std::size_t rows = is_sparse_ ? compact_.features().size() : 0;
  const double weight = criterion_.weight * share;
  gradient_.assign(network_.parameter_count(), 0.0);
  for (std::size_t i = 0; i < rows * outputs; ++i)
    gradient_[compact_.features()[i / outputs] * outputs + i % outputs] = weight * sums[i];
  const auto others = sums.subspan(rows * outputs);
  std::transform(others.begin(), others.end(), gradient_.end() - static_cast<std::ptrdiff_t>(others.size()),
                 [&](double value) { return value * weight; });
  const auto parameters = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), parameters_);
  criterion_.add_penalty_gradient(network_, {parameters.data(), parameters.size()}, gradient_);
  if (criterion_.step_weight != 1)
    for (double& value : gradient_) value *= criterion_.step_weight;
}

/// Scaled, where it is longer than it may be (Pascanu, Mikolov and Bengio, 2013).
void BatchTraining::clip_gradient() {
  const double norm = norm_of(gradient_);
  if (!(norm > *settings_.clip_norm)) return;
  for (double& value : gradient_) value *= *settings_.clip_norm / norm;
}

void BatchTraining::decay_weights(double rate) {
  for (const auto& layer : network_.layers())
    kernels::decay<Device>(Device(), rate * settings_.weight_decay,
                           Kokkos::subview(parameters_, std::pair(layer.weights, layer.bias)));
}

void BatchTraining::update(double rate) {
  const Device space;
  const auto on_device = Kokkos::create_mirror_view_and_copy(
      Device::memory_space(), kernels::host_vector(gradient_.data(), gradient_.size()));
  if (settings_.type == OptimizerType::sgd) {
    kernels::momentum_update<Device>(space, {rate, settings_.momentum, settings_.nesterov}, on_device, first_,
                                     parameters_);
  } else {
    const auto t = static_cast<double>(step_ + 1);
    if (settings_.weight_decay > 0) decay_weights(rate);
    kernels::adam_update<Device>(space, {rate, settings_.beta1, settings_.beta2, settings_.epsilon},
                                 1.0 - std::pow(settings_.beta1, t), 1.0 - std::pow(settings_.beta2, t),
                                 on_device, first_, second_, parameters_);
  }
  space.fence();
}

void BatchTraining::end_epoch(std::uint64_t total) {
  const std::uint64_t epoch = step_ / batches_;
  std::string held_out;
  if (best_) {
    const std::vector<double> parameters = to_host(parameters_);
    const double loss = held_out_(parameters);
    stops_early_ = best_->take(epoch, loss, parameters);
    held_out = fmt::format(" validation {:.6g}", loss);
    held_out_loss_ = loss;
  }
  session_.progress(step_ == total || stops_early_, [&] { return line(epoch, held_out); });
  rates_.end_epoch(epoch_loss_ / static_cast<double>(rows_));
  epoch_loss_ = epoch_right_ = 0;
}

Progress BatchTraining::progress() const {
  const std::uint64_t in_epoch = (step_ - 1) % batches_ + 1, epoch = (step_ - 1) / batches_ + 1;
  const auto rows = static_cast<double>(std::min(in_epoch * settings_.batch_size, rows_));
  const bool numbers = network_.shape().loss == Loss::squared_error;
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
  if (session_.is_due()) now.gradient_norm = norm_of(gradient_);
  now.rows = (step_ - first_step_) * settings_.batch_size;
  return now;
}

std::string BatchTraining::line(std::uint64_t epoch, const std::string& held_out) const {
  const auto rows = static_cast<double>(rows_);
  const bool numbers = network_.shape().loss == Loss::squared_error;
  const double loss = epoch_loss_ / rows / (numbers ? static_cast<double>(network_.outputs()) : 1.0);
  std::string text = fmt::format("epoch {}/{} loss {:.6g}", epoch, settings_.epochs, loss);
  if (!numbers) text += fmt::format(" accuracy {:.4f}", epoch_right_ / rows);
  text += held_out;
  if (rates_.changes()) text += fmt::format(" rate {:.3g}", rates_.rate(step_ - 1));
  return text;
}

storage::Checkpoint BatchTraining::state() const {
  storage::Checkpoint checkpoint;
  checkpoint.tensors = {vector_tensor("parameters", to_host(parameters_)),
                        vector_tensor("first", to_host(first_)), vector_tensor("second", to_host(second_)),
                        vector_tensor("epoch", {epoch_loss_, epoch_right_}),
                        vector_tensor("rates", rates_.state())};
  if (best_) best_->add_to(checkpoint);
  return checkpoint;
}

}  // namespace

std::uint64_t micro_batches(std::uint64_t batch_size, std::uint64_t parameters) {
  constexpr std::uint64_t parameters_in_cache = 32'768;
  const std::uint64_t least = parameters > parameters_in_cache ? 32 : 8;
  std::uint64_t pieces = 1;
  while (pieces < 16 && batch_size / (2 * pieces) >= least) pieces *= 2;
  return pieces;
}

Trained train_in_batches(const OptimizerSettings& settings, std::uint64_t seed, const Criterion& criterion,
                         const Rows& rows, Network& network, const std::vector<double>& start,
                         Session& session, Reads reads, const HeldOutLoss& held_out) {
  return BatchTraining(settings, seed, criterion, rows, network, session, reads, held_out).run(start);
}

}  // namespace kernmill::tasks
