#include "kernmill/tasks/learn/train/measure_machine.hpp"

#include <algorithm>
#include <ctime>
#include <limits>
#include <numeric>
#include <utility>

#include <sched.h>

#include "kernmill/tasks/learn/monitor/monitor.hpp"
#include "kernmill/tasks/learn/train/parameter_update.hpp"

namespace kernmill::tasks {
namespace {

using kernels::Device;

/// Of a thread's own work: ranks that wait, and take turns on the core, do not count.
double work_clock() {
  if (!std::is_same_v<Device, kernels::Host>) return steady_seconds();
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

constexpr int few = 2, many = 10;

/// The fastest of so many times, after one that does not count: what else the machine does makes it longer.
template <class Work>
double fastest_of(int times, double (*clock)(), const Work& work) {
  double fastest = std::numeric_limits<double>::infinity();
  work();
  for (int i = 0; i < times; ++i) {
    const double begun = clock();
    work();
    fastest = std::min(fastest, clock() - begun);
  }
  return fastest;
}

/// Between rank 0 and another; the others do nothing. Rank 0 alone gets the numbers.
class LinkProbe {
 public:
  LinkProbe(const Communicator& comm, int other) : comm_(comm), other_(other) {}

  [[nodiscard]] Link measure() const {
    constexpr int rounds = 10, burst = 16;
    constexpr std::size_t large = 1 << 20;
    Link link;
    if (comm_.size() == 1 || (comm_.rank() != 0 && comm_.rank() != other_)) return link;
    const double one_way = fastest_of(few, steady_seconds,
                                      [&] {
                                        for (int i = 0; i < rounds; ++i) there_and_back();
                                      }) /
                           (2 * rounds);
    double begun = 0;  // in beginning to send, of the last burst
    const double all = fastest_of(few, steady_seconds, [&] { begun = send_many(burst); });
    const double exchange = fastest_of(few, steady_seconds, [&] { exchange_of(large); });
    link.overhead = std::min(begun / burst, one_way / 2);
    link.latency = one_way - 2 * link.overhead;
    link.gap = std::max(link.overhead, (all - 2 * one_way) / burst);
    link.byte = std::max(0.0, exchange - one_way) / static_cast<double>(large);
    return link;
  }

 private:
  [[nodiscard]] int partner() const { return comm_.is_root() ? other_ : 0; }
  void send_one() const { comm_.send(std::span<const char>("", 1), partner()); }
  void receive_one() const {
    char byte = 0;
    comm_.receive(std::span(&byte, 1), partner());
  }
  void there_and_back() const {
    if (comm_.is_root()) send_one();
    receive_one();
    if (!comm_.is_root()) send_one();
  }
  /// Rank 0's messages, and an answer to them all.
  [[nodiscard]] double send_many(int count) const {
    if (!comm_.is_root()) {
      for (int i = 0; i < count; ++i) receive_one();
      send_one();
      return 0;
    }
    std::vector<PendingMessages> sent;
    sent.reserve(static_cast<std::size_t>(count));
    const double begun = steady_seconds();
    for (int i = 0; i < count; ++i) sent.push_back(comm_.begin_send(std::span<const char>("", 1), partner()));
    const double done = steady_seconds();
    for (PendingMessages& message : sent) message.wait();
    receive_one();
    return done - begun;
  }
  /// Both ways at once, as the steps of collective operations are.
  void exchange_of(std::size_t bytes) const {
    const std::vector<char> own(bytes);
    std::vector<char> others(bytes);
    PendingMessages sent = comm_.begin_send(std::span<const char>(own), partner());
    comm_.receive(std::span(others), partner());
    sent.wait();
  }

  const Communicator& comm_;
  int other_;
};

/// Pieces of some rows through a network, forward and backward.
template <class T>
class PassProbe {
 public:
  PassProbe(const NetworkShape& shape, std::size_t pieces, std::size_t rows)
      : network_(shape), losses_("losses", pieces, 2) {
    const std::vector<std::uint64_t>& widths = shape.widths;
    for (std::size_t i = 0; i <= pieces; ++i) cuts_.push_back(i * rows);
    batch_.features = kernels::Matrix<Device, T>("features", pieces * rows, widths.front());
    batch_.labels = kernels::Labels<Device>("labels", pieces * rows);
    Kokkos::deep_copy(batch_.features, T(1));
    const std::size_t nodes = kernels::whole_subtrees(0, pieces).size();
    for (std::size_t i = 0; i < nodes; ++i) gradients_.emplace_back("gradient", network_.parameter_count());
    parameters_ = Vector("parameters", network_.parameter_count());
    Kokkos::deep_copy(parameters_, T(0.001));  // units of about 1, as they are of real rows
  }
  [[nodiscard]] double seconds(int times) {
    return fastest_of(times, work_clock, [&] {
      network_.fold_gradients(parameters_, batch_, {cuts_, 0}, {true}, gradients_, losses_);
      Device().fence();
    });
  }
  [[nodiscard]] const NetworkOf<T>& network() const { return network_; }

  /// Of the gradient that is there.
  [[nodiscard]] double seconds_of_update(const OptimizerSettings& optimizer) {
    ParameterUpdate<T> update(optimizer, {}, network_.tensors(), {0, network_.parameter_count()});
    return fastest_of(many, work_clock, [&] { update(1e-6, 0, 1, gradients_[0], parameters_); });
  }

 private:
  using Vector = kernels::Vector<Device, T>;
  NetworkOf<T> network_;
  kernels::Matrix<Device> losses_;
  std::vector<std::size_t> cuts_;
  BatchOf<T> batch_;
  std::vector<Vector> gradients_;
  Vector parameters_;
};

/// Of a parameter: a part of a gradient is cleared, and added to another one.
template <class T>
double seconds_of_fold() {
  constexpr std::size_t length = 16'384;
  const auto sum = kernels::Vector<Device, T>("sum", length),
             other = kernels::Vector<Device, T>("other", length);
  return fastest_of(many, work_clock,
                    [&] {
                      Kokkos::deep_copy(Device(), other, T(0));
                      kernels::add<Device, T>(Device(), other, sum);
                      Device().fence();
                    }) /
         static_cast<double>(length);
}

/// Weights that a row meets three times: the first layer's are met twice, as nobody wants the gradient by the
/// features.
double weights_met(const std::vector<std::uint64_t>& widths) {
  double met = 0;
  for (std::size_t i = 0; i + 1 < widths.size(); ++i)
    met += static_cast<double>(widths[i] * widths[i + 1]) * (i == 0 ? 2.0 / 3 : 1);
  return met;
}

double hidden_units(const std::vector<std::uint64_t>& widths) {
  return static_cast<double>(std::accumulate(widths.begin() + 1, widths.end() - 1, std::uint64_t{0}));
}

/// A network of such layers, and whether it has nothing but them and relus.
NetworkShape plain(const NetworkShape& shape, std::vector<std::uint64_t> widths) {
  NetworkShape out;
  out.widths = std::move(widths);
  out.multiply = shape.multiply;
  return out;
}
bool is_plain(const NetworkShape& shape) {
  return shape.activation == kernels::Activation::relu && !shape.layer_norm && shape.dropout == 0;
}

/// The speed of one rank, into the machine.
template <class T>
void probe_speed(const NetworkShape& shape, OptimizerSettings optimizer, Machine& machine) {
  const std::vector<std::uint64_t>& all_widths = shape.widths;
  constexpr std::size_t most_layers = 3;
  constexpr std::uint64_t widest = 1024, most_rows = 128, rows_in_all = 256;
  std::vector<std::uint64_t> widths(
      all_widths.begin(),
      all_widths.begin() + static_cast<std::ptrdiff_t>(std::min(all_widths.size(), most_layers + 1)));
  for (std::uint64_t& width : widths) width = std::min(width, widest);
  const std::uint64_t all_pieces = micro_batches(optimizer.batch_size, dense_parameters(all_widths));
  const std::size_t rows = std::clamp<std::uint64_t>(optimizer.batch_size / all_pieces, 2, most_rows);
  const std::size_t pieces = std::clamp<std::uint64_t>(rows_in_all / rows, 1, all_pieces);
  const auto layers = static_cast<double>(widths.size() - 1), count = static_cast<double>(pieces);

  PassProbe<T> together(plain(shape, widths), pieces, rows), alone(plain(shape, widths), 1, rows),
      tiny(plain(shape, std::vector<std::uint64_t>(widths.size(), 2)), pieces, 2);
  optimizer.clip_norm.reset();
  const auto own = static_cast<double>(together.network().parameter_count());
  const double products = static_cast<double>(rows) * weights_met(widths);
  machine.call = tiny.seconds(many) / (count * layers);
  machine.piece = seconds_of_fold<T>();
  machine.update = together.seconds_of_update(optimizer) / own;
  const auto row = [&](double seconds, double of_parameter) {
    return std::max(seconds - own * of_parameter - layers * machine.call, seconds / 2) / products;
  };
  const double seconds = together.seconds(few);
  machine.row = row(seconds / count, machine.piece);
  // A single piece is cleared, and added to nothing.
  machine.lone_row = row(alone.seconds(few), machine.piece / 2);
  if (is_plain(shape) || widths.size() < 3) return;
  NetworkShape whole = plain(shape, widths);
  whole.activation = shape.activation;
  whole.layer_norm = shape.layer_norm;
  whole.dropout = shape.dropout;
  machine.entry = std::max(0.0, PassProbe<T>(whole, pieces, rows).seconds(few) - seconds) /
                  (count * static_cast<double>(rows) * hidden_units(widths));
}

/// Cores of a node, that its ranks may use; of ranks with threads so many as each has, and of those with a
/// GPU as many as there are ranks. Collective.
std::uint64_t cores_of_node(const Communicator& comm, std::uint64_t ranks) {
  if (!std::is_same_v<Device, kernels::Host>) return ranks;
  std::vector<int> used(CPU_SETSIZE, 0);
  cpu_set_t set;
  CPU_ZERO(&set);
  if (static_cast<std::uint64_t>(comm.rank()) < ranks && sched_getaffinity(0, sizeof set, &set) == 0)
    for (std::size_t i = 0; i < used.size(); ++i) used[i] = CPU_ISSET(i, &set) ? 1 : 0;
  comm.allreduce(std::span(used), Reduction::max);
  const auto cores = static_cast<std::uint64_t>(std::count(used.begin(), used.end(), 1));
  return std::max<std::uint64_t>(1, cores / static_cast<std::uint64_t>(Device().concurrency()));
}

}  // namespace

template <class T>
Machine measure_machine(const Communicator& comm, const NetworkShape& shape,
                        const OptimizerSettings& optimizer) {
  Machine machine;
  machine.ranks_on_node = static_cast<std::uint64_t>(comm.allreduce(comm.ranks_on_node(), Reduction::max));
  machine.cores = cores_of_node(comm, machine.ranks_on_node);
  if (static_cast<std::uint64_t>(comm.rank()) < machine.cores) probe_speed<T>(shape, optimizer, machine);
  (void)comm.allreduce(0, Reduction::max);  // nobody computes while messages are measured
  machine.far = LinkProbe(comm, comm.size() - 1).measure();
  machine.near = comm.size() > 2 ? LinkProbe(comm, 1).measure() : machine.far;
  static_assert(std::is_trivially_copyable_v<Machine>);
  comm.bcast(std::span(reinterpret_cast<char*>(&machine), sizeof machine));
  return machine;
}

template Machine measure_machine<double>(const Communicator&, const NetworkShape&, const OptimizerSettings&);
template Machine measure_machine<float>(const Communicator&, const NetworkShape&, const OptimizerSettings&);

}  // namespace kernmill::tasks
