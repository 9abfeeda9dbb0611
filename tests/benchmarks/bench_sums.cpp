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
#include "kernmill/tasks/learn/rows/leaf_sum.hpp"
#include "kernmill/tasks/learn/train/mini_batch.hpp"
#include "rivals.hpp"

namespace kernmill::tasks {
namespace {

using kernels::Device;
using kernels::Host;
constexpr std::uint64_t rows = 128;

/// One gradient, by either way.
class Gradient {
 public:
  Gradient(const Communicator& comm, std::vector<std::uint64_t> widths)
      : comm_(comm),
        network_({widths, kernels::Activation::relu, Loss::cross_entropy}),
        parameters_("parameters", network_.parameter_count()),
        sum_(comm, micro_batches(rows, network_.parameter_count()), network_.sums_length()),
        whole_("sums", network_.sums_length()) {
    const std::vector<double> start = network_.glorot(1);
    Kokkos::deep_copy(parameters_, kernels::host_vector(start.data(), start.size()));
    features_.resize(rows * widths.front());
    for (std::size_t i = 0; i < features_.size(); ++i)
      features_[i] = static_cast<double>(i * 7919 % 256) / 256;
    batch_.features = kernels::Matrix<Device>(features_.data(), rows, widths.front());
    batch_.labels = kernels::Labels<Device>("labels", rows);
  }

  void in_fixed_order() {
    const std::uint64_t each = rows / micro_batches(rows, network_.parameter_count());
    sum_([&](std::uint64_t leaf, const Network::Vector& out) {
      network_.sums(parameters_, part_of(batch_, leaf * each, each), out);
    });
  }
  void by_allreduce() {
    const auto own = storage::even_share(rows, comm_.rank(), comm_.size());
    network_.sums(parameters_, part_of(batch_, own.begin, own.count()), whole_);
    comm_.allreduce(std::span(whole_.data(), whole_.size()), Reduction::sum);
  }

 private:
  const Communicator& comm_;
  Network network_;
  Network::Vector parameters_;
  LeafSum<Device> sum_;
  Network::Vector whole_;
  std::vector<double> features_;
  Batch batch_;
};

void compare(const Communicator& comm, const std::vector<std::uint64_t>& widths) {
  Gradient gradient(comm, widths);
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
  kernmill::tasks::compare(comm, {784, 1024, 1024, 10});
  kernmill::tasks::compare(comm, {64, 64, 10});
}
