// What it costs that sums over ranks are always made in the same order (adr/0003):
//
//   mpiexec -n 2 bench_sums
//
// The gradient of one mini-batch of 128 rows of an MLP 784-1024-1024-10, and of a smaller one, by
// micro-batches that are folded along a fixed tree, beside each rank's rows at once and one MPI_Allreduce. In
// interleaved rounds.
#include <Kokkos_Core.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "kernmill/tasks/comm/mpi_session.hpp"
#include "kernmill/tasks/learn/rows/batch.hpp"
#include "kernmill/tasks/learn/train/mini_batch.hpp"
#include "rivals.hpp"

namespace kernmill::tasks {
namespace {

using kernels::Device;
using kernels::Host;
constexpr std::uint64_t rows = 128;

/// One gradient, by either way.
template <class T>
class Gradient {
 public:
  using Vector = kernels::Vector<Device, T>;
  Gradient(const Communicator& comm, std::vector<std::uint64_t> widths)
      : network_({widths, kernels::Activation::relu, Loss::cross_entropy}),
        parameters_("parameters", network_.parameter_count()),
        exact_(comm, Summing::exact, micro_batches(rows, network_.parameter_count()),
               network_.losses_length(), true),
        fast_(comm, Summing::fast, 0, network_.losses_length(), true) {
    const std::vector<double> start = network_.start(1);
    const std::vector<T> values(start.begin(), start.end());
    Kokkos::deep_copy(parameters_, kernels::host_vector(values.data(), values.size()));
    features_.resize(rows * widths.front());
    for (std::size_t i = 0; i < features_.size(); ++i) features_[i] = static_cast<T>(i * 7919 % 256) / 256;
    batch_.features = kernels::Matrix<Device, T>(features_.data(), rows, widths.front());
    batch_.labels = kernels::Labels<Device>("labels", rows);
  }

  void in_fixed_order() { sum(exact_); }
  void by_allreduce() { sum(fast_); }

 private:
  void sum(GradientSum<T>& sum) {
    const storage::IndexRange own = sum.own();
    std::vector<std::size_t> cuts{0};
    std::uint64_t first = 0;
    for (std::uint64_t leaf = 0; leaf < own.end; ++leaf) {
      const auto piece = storage::even_share(rows, static_cast<int>(leaf), static_cast<int>(sum.pieces()));
      if (leaf < own.begin) {
        first = piece.end;
      } else {
        cuts.push_back(cuts.back() + piece.count());
      }
    }
    network_.fold_gradients(parameters_, part_of(batch_, first, cuts.back()), {cuts, own.begin}, {},
                            sum.gradients(network_.parameter_count()), sum.losses(),
                            [&](GradientPart part) { sum.ready(part); });
    sum.sum(0);
  }
  NetworkOf<T> network_;
  Vector parameters_;
  GradientSum<T> exact_, fast_;
  std::vector<T> features_;
  BatchOf<T> batch_;
};

template <class T>
void compare(const Communicator& comm, const std::vector<std::uint64_t>& widths) {
  Gradient<T> gradient(comm, widths);
  Rivals rivals(comm);
  const auto free =
      rivals.add("MPI_Allreduce", [&] { return seconds_of(comm, [&] { gradient.by_allreduce(); }); });
  rivals.add(
      "in a fixed order", [&] { return seconds_of(comm, [&] { gradient.in_fixed_order(); }); },
      Rivals::Goal{free, 0});
  rivals.race(21);
  rivals.print(fmt::format("gradient of {} rows, layers {}", rows, fmt::join(widths, "-")));
}

}  // namespace
}  // namespace kernmill::tasks

int main(int argc, char** argv) {
  const kernmill::tasks::MpiSession mpi(argc, argv);
  const Kokkos::ScopeGuard kokkos(argc, argv);
  const kernmill::tasks::Communicator comm = mpi.world();
  kernmill::tasks::compare<float>(comm, {784, 1024, 1024, 10});
  kernmill::tasks::compare<float>(comm, {64, 64, 10});
}
