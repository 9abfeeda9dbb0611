#include "kernmill/tasks/learn/train/mini_batch.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>
#include <optional>

#include <fmt/format.h>

#include "kernmill/tasks/learn/monitor/not_finite.hpp"
#include "kernmill/tasks/learn/train/parameter_update.hpp"
#include "kernmill/tasks/learn/train/whole_gradient.hpp"
#include "kernmill/tasks/models/tensors.hpp"

namespace kernmill::tasks {
namespace {

using kernels::Device;

// How finely fast sums deal out a batch's rows, which are in no pieces that have to stay whole.
constexpr std::uint64_t parts_of_a_share = 16;

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
        batch_size_(settings_.rows_of_step()),
        pieces_(pieces_of(task, session.comm())),
        network_(task.network),
        part_(task.part),
        comm_(part_ == nullptr ? session.comm() : part_->data()),
        is_sparse_(task.rows.is_sparse()),
        weight_(task.weight),
        is_weighted_(task.rows.is_weighted()),
        rows_(comm_, task.rows, network_.shape().loss,
              {settings_.shuffle, seed_, batch_size_, task.reads, task.memory}),
        sum_(comm_, task.summing, pieces_, network_.losses_length(), !is_sparse_ && !settings_.clip_norm),
        is_exact_(task.summing == Summing::exact),
        balance_(is_exact_ ? pieces_ : pieces_ * parts_of_a_share, comm_.size(), task.balancing),
        session_(session),
        steps_(settings_.epochs * rows_.batches()),
        rates_(settings_.schedule, settings_.learning_rate, rows_.batches(), steps_),
        held_out_(task.held_out),
        parameters_("parameters", own_count()),
        update_(settings_, criterion_, part_ == nullptr ? network_.tensors() : part_->tensors(),
                sum_.share(own_count(), comm_.rank()), [part = part_](std::span<const double> of_tensors) {
                  return part == nullptr ? ParameterUpdate<T>::in_order(of_tensors)
                                         : part->add_up(of_tensors);
                }) {
    if (settings_.early_stopping) best_.emplace(*settings_.early_stopping);
    if (is_sparse_)
      whole_gradient_.emplace(own_count(),
                              part_ == nullptr ? network_.feature_blocks() : part_->feature_blocks());
  }

  Trained run(const std::vector<double>& start);

 private:
  /// Of a step's batch; in exact sums the leaves of their tree.
  static std::uint64_t pieces_of(const BatchTask<T>& task, const Communicator& comm) {
    const OptimizerSettings& how = task.optimizer;
    if (task.summing == Summing::fast) return static_cast<std::uint64_t>(comm.size());
    return micro_batches(how.batch_size, task.network.parameter_count()) * std::bit_ceil(how.accumulate);
  }
  /// Some of this rank's neighbouring pieces, whose rows are in memory together.
  struct Portion {
    StepRange rows;
    std::uint64_t first_piece = 0, pieces = 0;  ///< first_piece: among this rank's
  };
  [[nodiscard]] storage::IndexRange piece(std::uint64_t step, std::uint64_t leaf) const;
  [[nodiscard]] storage::IndexRange own_range(std::uint64_t step) const;
  [[nodiscard]] std::vector<Portion> portions(std::uint64_t step) const;
  [[nodiscard]] std::vector<std::size_t> cuts_of(const Portion& portion) const;
  void adapt_shares();
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
  BatchSum<T> part_sum();
  BatchSum<T> batch_sum();
  void fold_portions(const std::vector<Portion>& portions);
  void step();
  BatchOf<T> take(const std::vector<Portion>& portions, std::size_t index);
  [[nodiscard]] std::size_t gradient_length() const;
  void note_norm(double scale, const Vector& gradient);
  void begin(const std::vector<double>& start);
  void resume(const storage::Checkpoint& checkpoint);
  void end_epoch();
  [[nodiscard]] Progress progress() const;
  [[nodiscard]] std::vector<double> parameters() const;
  [[nodiscard]] std::vector<T> of_all_ranks(const Vector& own) const;
  [[nodiscard]] std::string line(std::uint64_t epoch, const std::string& held_out) const;
  [[nodiscard]] storage::Checkpoint state() const;

  OptimizerSettings settings_;
  std::uint64_t seed_;
  Criterion criterion_;
  std::uint64_t batch_size_;  ///< rows of a step
  std::uint64_t pieces_;
  NetworkOf<T>& network_;
  NetworkPart<T>* part_;      ///< none where every rank has all layers
  const Communicator& comm_;  ///< the ranks that share the rows
  bool is_sparse_;
  double weight_;  ///< of all rows together
  bool is_weighted_;
  StepRows<T> rows_;
  GradientSum<T> sum_;
  bool is_exact_;
  RowBalance balance_;  ///< of pieces where sums are exact, else of equal parts of a batch
  Session& session_;
  std::uint64_t steps_;  ///< of all epochs
  RateSchedule rates_;
  HeldOutLoss held_out_;
  std::optional<BestEpoch> best_;
  bool stops_early_ = false;
  Vector parameters_;
  std::optional<WholeGradient<T>> whole_gradient_;  ///< of sparse rows
  ParameterUpdate<T> update_;
  std::vector<Vector> portion_sums_;
  kernels::TreeFold<Device, T> fold_;                           ///< of the portions
  std::uint64_t step_ = 0;                                      ///< batches done, over all epochs
  unsigned wishes_ = 0;                                         ///< of all ranks, at the last step
  double epoch_loss_ = 0, epoch_right_ = 0, epoch_weight_ = 0;  ///< of the epoch's rows so far
  double held_out_loss_ = Progress::unknown;                    ///< of the last epoch
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
  const auto& epoch = values_of(checkpoint.tensors, "epoch", is_weighted_ ? 3 : 2);
  epoch_loss_ = epoch.at(0);
  epoch_right_ = epoch.at(1);
  epoch_weight_ = is_weighted_
                      ? epoch.at(2)
                      : static_cast<double>(std::min(step_ % rows_.batches() * batch_size_, rows_.count()));
  if (holds(checkpoint.tensors, "rates"))  // not there in checkpoints from before
    rates_.restore(values_of(checkpoint.tensors, "rates", rates_.state().size()));
  if (best_) best_->restore(checkpoint, count);
}

template <class T>
Trained BatchTraining<T>::run(const std::vector<double>& start) {
  begin(start);
  while (step_ < steps_ && !stops_early_) {
    step();
    session_.tell(progress());
    if (step_ % rows_.batches() == 0) end_epoch();
    if (step_ < steps_ && !stops_early_) session_.after_step(step_, wishes_, [&] { return state(); });
  }
  if (!best_) return {parameters(), step_, settings_.epochs};
  return {best_->parameters(), step_, step_ / rows_.batches(), best_->epoch(), best_->loss()};
}

template <class T>
storage::IndexRange BatchTraining<T>::piece(std::uint64_t step, std::uint64_t leaf) const {
  return storage::even_share(rows_.rows_of(step), static_cast<int>(leaf), static_cast<int>(pieces_));
}

/// Which rows of a batch are this rank's.
template <class T>
storage::IndexRange BatchTraining<T>::own_range(std::uint64_t step) const {
  const LeafShares& shares = balance_.shares();
  const storage::IndexRange own = shares[static_cast<std::size_t>(comm_.rank())];
  if (own.count() == 0) return {};
  const auto part = [&](std::uint64_t leaf) {
    return storage::even_share(rows_.rows_of(step), static_cast<int>(leaf),
                               static_cast<int>(shares.back().end));
  };
  return {part(own.begin).begin, part(own.end - 1).end};
}

/// One, or, where gradients accumulate, as many as keep the rows of each below those of a batch.
template <class T>
std::vector<typename BatchTraining<T>::Portion> BatchTraining<T>::portions(std::uint64_t step) const {
  const storage::IndexRange own = sum_.own(), range = own_range(step);
  const std::uint64_t count = rows_.comes_whole() || part_ != nullptr ? 1 : settings_.accumulate;
  if (count == 1 || range.count() == 0) return {{{step, range}, 0, own.count()}};
  std::vector<Portion> portions;
  for (std::uint64_t i = 0; i < count; ++i) {
    const auto share = [&](std::uint64_t of) {
      return storage::even_share(of, static_cast<int>(i), static_cast<int>(count));
    };
    if (!is_exact_) {
      const storage::IndexRange rows = share(range.count());
      portions.push_back({{step, {range.begin + rows.begin, range.begin + rows.end}}, 0, 1});
    } else if (const storage::IndexRange some = share(own.count()); some.count() > 0) {
      portions.push_back(
          {{step, {piece(step, own.begin + some.begin).begin, piece(step, own.begin + some.end - 1).end}},
           some.begin,
           some.count()});
    }
  }
  return portions;
}

/// Where its pieces begin among its rows, and the end.
template <class T>
std::vector<std::size_t> BatchTraining<T>::cuts_of(const Portion& portion) const {
  if (!is_exact_) return {0, portion.rows.places.count()};
  std::vector<std::size_t> cuts{0};
  for (std::uint64_t i = 0; i < portion.pieces; ++i)
    cuts.push_back(cuts.back() +
                   piece(portion.rows.step, sum_.own().begin + portion.first_piece + i).count());
  return cuts;
}

/// After a sum.
template <class T>
void BatchTraining<T>::adapt_shares() {
  balance_.take(sum_.seconds());
  if (!balance_.adapt()) return;
  if (is_exact_) sum_.set_shares(balance_.shares());
  session_.tell_shares(balance_.shares());
}

/// The rows of a portion of this step; those of the next one, or of the next step's first, are read
/// meanwhile.
template <class T>
BatchOf<T> BatchTraining<T>::take(const std::vector<Portion>& portions, std::size_t index) {
  std::optional<StepRange> next;
  if (index + 1 < portions.size()) {
    next = portions[index + 1].rows;
  } else if (step_ + 1 < steps_) {
    next = this->portions(step_ + 1).front().rows;
  }
  BatchOf<T> rows = rows_.take(portions[index].rows, next);
  session_.judge(rows_.reading());
  return rows;
}

/// In a layout of layers: of this rank's part; the losses are the whole network's.
template <class T>
BatchSum<T> BatchTraining<T>::part_sum() {
  const std::vector<Portion> all = portions(step_);
  const BatchOf<T> rows = part_->needs_rows() ? take(all, 0) : BatchOf<T>();
  part_->fold_gradients(parameters_, rows, {cuts_of(all[0]), sum_.own().begin},
                        {true, seed_, step_, all[0].rows.places.begin}, sum_.gradients(gradient_length()),
                        sum_.losses());
  BatchSum<T> sum = sum_.sum(session_.wishes());
  part_losses_.assign(sum.losses.begin(), sum.losses.end());
  wishes_ = part_->agree(part_losses_, sum_.wishes());
  sum.losses = part_losses_;
  return sum;
}

/// This rank's gradients and losses of a batch that is taken in portions: along the same tree as in one go.
template <class T>
void BatchTraining<T>::fold_portions(const std::vector<Portion>& portions) {
  const std::size_t length = network_.parameter_count(), losses = network_.losses_length();
  const auto gradients = sum_.gradients(length);
  if (!is_exact_) Kokkos::deep_copy(sum_.losses(), 0.0);
  const kernels::Matrix<Device> some_losses("losses", sum_.losses().extent(0), losses);
  for (std::size_t i = 0; i < portions.size(); ++i) {
    const Portion& portion = portions[i];
    const BatchOf<T> rows = take(portions, i);
    const std::uint64_t first_leaf = sum_.own().begin + portion.first_piece;
    const auto nodes = is_exact_ ? kernels::whole_subtrees(first_leaf, first_leaf + portion.pieces)
                                 : std::vector<std::pair<unsigned, std::uint64_t>>(1);
    portion_sums_.clear();
    for (std::size_t k = 0; k < nodes.size(); ++k) portion_sums_.push_back(fold_.vector(length));
    network_.fold_gradients(parameters_, rows, {cuts_of(portion), first_leaf},
                            {true, seed_, step_, portion.rows.places.begin}, portion_sums_,
                            is_exact_
                                ? kernels::rows_of<Device>(sum_.losses(), portion.first_piece, portion.pieces)
                                : some_losses);
    if (is_exact_) {
      for (std::size_t k = 0; k < nodes.size(); ++k)
        fold_.add({nodes[k].first, nodes[k].second, portion_sums_[k]});
    } else {  // one after the other
      if (i == 0) fold_.add({0, 0, portion_sums_[0]});
      if (i > 0) kernels::add<Device, T>(Device(), portion_sums_[0], fold_.nodes()[0].sum);
      kernels::add<Device>(Device(), kernels::Vector<Device>(some_losses.data(), losses),
                           kernels::Vector<Device>(sum_.losses().data(), losses));
    }
  }
  for (std::size_t k = 0; k < fold_.nodes().size(); ++k)
    Kokkos::deep_copy(Device(), gradients[k], fold_.nodes()[k].sum);
  fold_.clear();
  sum_.ready({0, length});
}

template <class T>
BatchSum<T> BatchTraining<T>::batch_sum() {
  if (part_ != nullptr) return part_sum();
  const std::vector<Portion> all = portions(step_);
  if (all.size() > 1) {
    fold_portions(all);
  } else {
    const BatchOf<T> rows = take(all, 0);
    network_.fold_gradients(parameters_, rows, {cuts_of(all[0]), sum_.own().begin},
                            {true, seed_, step_, all[0].rows.places.begin}, sum_.gradients(gradient_length()),
                            sum_.losses(), [&](GradientPart part) { sum_.ready(part); });
  }
  BatchSum<T> sum = sum_.sum(session_.wishes());
  wishes_ = sum_.wishes();
  adapt_shares();
  return sum;
}

/// Of the batch that was taken last.
template <class T>
std::size_t BatchTraining<T>::gradient_length() const {
  return whole_gradient_ ? whole_gradient_->compact_length(rows_.features()) : own_count();
}

/// Collective, where somebody may read it.
template <class T>
void BatchTraining<T>::note_norm(double scale, const Vector& gradient) {
  const bool ends_epoch = (step_ + 1) % rows_.batches() == 0;
  if ((!ends_epoch && (wishes_ & wish_to_tell) == 0) || part_ != nullptr) return;
  double square = update_.squared_norm(scale, gradient, parameters_);
  if (sum_.cuts(own_count())) square = comm_.allreduce(square, Reduction::sum);
  gradient_norm_ = std::sqrt(square);
}

template <class T>
void BatchTraining<T>::step() {
  const BatchSum<T> sum = batch_sum();
  const std::size_t parts = network_.loss_parts();
  const double loss =
      std::accumulate(sum.losses.begin(), sum.losses.begin() + static_cast<std::ptrdiff_t>(parts), 0.0);
  const double weight = is_weighted_ ? sum.losses.back() : static_cast<double>(rows_.rows_of(step_));
  session_.check_finite(loss, step_, "batch", [&] {
    if (part_ != nullptr) return std::string("in a layout of layers it is not told which");
    const std::vector<T> gradient = is_sparse_ ? std::vector<T>() : to_host<T>(sum.gradient);
    return first_not_finite(network_.layers(), parameters(), sum.range.begin,
                            {gradient.begin(), gradient.end()});
  });
  epoch_loss_ += loss;
  epoch_right_ += sum.losses[parts];
  epoch_weight_ += weight;
  // The batch stands for all rows, by its weight; one without any has no gradient.
  const double share = weight > 0 ? weight_ / weight : 0;
  const double scale = criterion_.weight * criterion_.step_weight * share;
  const Vector gradient = whole_gradient_ ? (*whole_gradient_)(sum.gradient, rows_.features()) : sum.gradient;
  note_norm(scale, gradient);
  update_(rates_.rate(step_), step_, scale, gradient, parameters_);
  sum_.complete(parameters_);
  ++step_;
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
void BatchTraining<T>::end_epoch() {
  const std::uint64_t epoch = step_ / rows_.batches();
  std::string held_out;
  if (best_) {
    const std::vector<double> at = parameters();
    const double loss = held_out_(at);
    stops_early_ = best_->take(epoch, loss, at);
    held_out = fmt::format(" validation {:.6g}", loss);
    held_out_loss_ = loss;
  }
  session_.progress(step_ == steps_ || stops_early_, [&] { return line(epoch, held_out); });
  rates_.end_epoch(epoch_loss_ / epoch_weight_);
  epoch_loss_ = epoch_right_ = epoch_weight_ = 0;
}

template <class T>
Progress BatchTraining<T>::progress() const {
  const std::uint64_t in_epoch = (step_ - 1) % rows_.batches() + 1, epoch = (step_ - 1) / rows_.batches() + 1;
  const auto rows = static_cast<double>(std::min(in_epoch * batch_size_, rows_.count()));
  const bool numbers = network_.shape().loss.is_of_numbers();
  Progress now;
  now.step = step_;
  now.steps = steps_;
  now.epoch = epoch;
  now.epochs = settings_.epochs;
  now.ends_period = in_epoch == rows_.batches();
  now.may_end_before = best_.has_value();
  now.loss = epoch_loss_ / epoch_weight_ / (numbers ? static_cast<double>(network_.outputs()) : 1.0);
  if (!numbers) now.accuracy = epoch_right_ / rows;
  now.held_out_loss = held_out_loss_;
  now.rate = rates_.rate(step_ - 1);
  now.gradient_norm = gradient_norm_;
  now.rows = (step_ - first_step_) * batch_size_;
  return now;
}

template <class T>
std::string BatchTraining<T>::line(std::uint64_t epoch, const std::string& held_out) const {
  const auto rows = static_cast<double>(rows_.count());
  const bool numbers = network_.shape().loss.is_of_numbers();
  const double loss = epoch_loss_ / epoch_weight_ / (numbers ? static_cast<double>(network_.outputs()) : 1.0);
  std::string text = fmt::format("epoch {}/{} loss {:.6g}", epoch, settings_.epochs, loss);
  if (!numbers) text += fmt::format(" accuracy {:.4f}", epoch_right_ / rows);
  text += held_out;
  if (rates_.changes()) text += fmt::format(" rate {:.3g}", rates_.rate(step_ - 1));
  return text;
}

template <class T>
storage::Checkpoint BatchTraining<T>::state() const {
  std::vector<double> epoch{epoch_loss_, epoch_right_};
  if (is_weighted_) epoch.push_back(epoch_weight_);
  storage::Checkpoint checkpoint;
  checkpoint.tensors = {vector_tensor("parameters", whole_of(to_host<T>(parameters_))),
                        vector_tensor("first", of_all_ranks(update_.first())), vector_tensor("epoch", epoch),
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
