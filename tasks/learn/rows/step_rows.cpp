#include "kernmill/tasks/learn/rows/step_rows.hpp"

#include <algorithm>

namespace kernmill::tasks {
namespace {

// The epoch's order and the starting weights draw from streams of their own.
constexpr std::uint64_t order_key = 0x6b65726e6d696c6cULL;

}  // namespace

template <class T>
StepRows<T>::StepRows(const Communicator& comm, const Rows& rows, Loss loss, const StepOrder& order)
    : comm_(&comm),
      rows_(&rows),
      loss_(loss),
      seed_(order.seed),
      batch_size_(order.batch_size),
      batches_((rows.count() + order.batch_size - 1) / order.batch_size),
      shuffle_(shuffle_of(order.shuffle, rows.count(), rows.row_bytes())),
      loader_(rows, loss),
      keeps_rows_(!rows.is_sparse() && KeptPart::bytes_of(rows) <= order.memory),
      keeps_rows_on_device_(!std::is_same_v<kernels::Device, kernels::Host> && keeps_rows_ &&
                            DevicePart<T>::bytes_of(rows) <= order.memory) {
  if (!keeps_rows_ && order.reads == Reads::large && WindowRows::can_read(rows, shuffle_))
    windows_.emplace(comm, rows, loss);
}

template <class T>
std::uint64_t StepRows<T>::rows_of(std::uint64_t step) const {
  return std::min(batch_size_, rows_->count() - step % batches_ * batch_size_);
}

template <class T>
std::vector<std::uint64_t> StepRows<T>::numbers_of(const StepRange& range) {
  const std::uint64_t epoch = range.step / batches_, first = range.step % batches_ * batch_size_;
  if (!order_ || epoch_ != epoch) order_.emplace(rows_->count(), shuffle_, seed_ ^ order_key, epoch);
  epoch_ = epoch;
  std::vector<std::uint64_t> numbers;
  numbers.reserve(range.places.count());
  for (std::uint64_t i = range.places.begin; i < range.places.end; ++i)
    numbers.push_back((*order_)(first + i));
  return numbers;
}

template <class T>
Batch StepRows<T>::load(const StepRange& wanted, const std::optional<StepRange>& next) {
  const std::vector<std::uint64_t> numbers = numbers_of(wanted);
  if (windows_) {
    const std::uint64_t first = wanted.step % batches_ * batch_size_;
    windows_->hold(*order_, epoch_, first, first + rows_of(wanted.step));
    return numbers.empty() ? Batch{} : windows_->load(numbers);
  }
  if (keeps_rows_) {
    if (!kept_) kept_.emplace(*rows_, loss_);
    return numbers.empty() ? Batch{} : kept_->load(numbers);
  }
  Batch batch = numbers.empty() ? Batch{} : loader_.load(numbers);
  static const storage::SparseRows none;
  if (comes_whole()) compact_.set(*comm_, numbers.empty() ? none : loader_.loaded().sparse, batch);
  if (next) loader_.prefetch(numbers_of(*next));
  return batch;
}

template <class T>
BatchOf<T> StepRows<T>::take(const StepRange& wanted, const std::optional<StepRange>& next) {
  if (keeps_rows_on_device_) {
    if (!on_device_) on_device_.emplace(*rows_, loss_);
    return on_device_->load(numbers_of(wanted));
  }
  return as_(load(wanted, next));
}

template <class T>
const Reading& StepRows<T>::reading() const {
  if (on_device_) return on_device_->reading();
  return windows_ ? windows_->reading() : kept_ ? kept_->reading() : loader_.reading();
}

template class StepRows<double>;
template class StepRows<float>;

}  // namespace kernmill::tasks
