// A step of a network in mini-batches: forward, backward, the sums over the ranks, Adam's update.
//
//   mpiexec -n 2 bench_step [BATCH] [ROUNDS] [WIDTH...]
//
// With exact sums, which have the same bits on any number of ranks (adr/0003), with fast ones, and the bare
// products of one rank's share of the rows; of an MLP 784-1024-1024-10 with 512 rows, or of these widths. In
// interleaved rounds. tests/benchmarks/step.py has PyTorch beside it.
#include <Kokkos_Core.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "kernmill/kernels/gemm.hpp"
#include "kernmill/tasks/comm/mpi_session.hpp"
#include "rivals.hpp"
#include "training_steps.hpp"

namespace kernmill::tasks {
namespace {

using kernels::Device;
using kernels::Transpose;

/// The products of a step, and nothing else, of one rank's rows.
template <class T>
class Products {
 public:
  Products(std::vector<std::uint64_t> widths, std::size_t rows) : widths_(std::move(widths)) {
    for (std::size_t i = 0; i < widths_.size(); ++i) {
      rows_.emplace_back("rows", rows, widths_[i]);
      if (i > 0) weights_.emplace_back("weights", widths_[i - 1], widths_[i]);
      if (i > 0) gradients_.emplace_back("gradients", widths_[i - 1], widths_[i]);
    }
  }
  void all() const {
    const Device space;
    for (std::size_t i = 0; i + 1 < widths_.size(); ++i)
      kernels::gemm<Device, T>(space, Transpose::no, Transpose::no, 1, rows_[i], weights_[i], 0,
                               rows_[i + 1]);
    for (std::size_t i = widths_.size() - 1; i-- > 0;) {
      kernels::gemm<Device, T>(space, Transpose::yes, Transpose::no, 1, rows_[i], rows_[i + 1], 0,
                               gradients_[i]);
      if (i > 0)
        kernels::gemm<Device, T>(space, Transpose::no, Transpose::yes, 1, rows_[i + 1], weights_[i], 0,
                                 rows_[i]);
    }
  }

 private:
  using Matrix = kernels::Matrix<Device, T>;
  std::vector<std::uint64_t> widths_;
  std::vector<Matrix> rows_, weights_, gradients_;
};

template <class T>
void compare(const Communicator& comm, const std::vector<std::uint64_t>& widths, std::uint64_t rows,
             int rounds, const char* type) {
  const std::uint64_t work = rows * widths[1] * (widths[0] + widths[1]);
  const auto steps = static_cast<int>(std::clamp<std::uint64_t>(100'000'000 / work, 1, 2000));
  const auto times = [&](const auto& step) {
    return seconds_of(comm,
                      [&] {
                        for (int i = 0; i < steps; ++i) step();
                      }) /
           steps;
  };
  TrainingSteps<T> exact(comm, Summing::exact, {widths}, rows), fast(comm, Summing::fast, {widths}, rows);
  const Products<T> products(widths, rows / static_cast<std::uint64_t>(comm.size()));
  Rivals rivals(comm);
  const auto bare = rivals.add("bare products", [&] { return times([&] { products.all(); }); });
  const auto free = rivals.add(
      "fast sums", [&] { return times([&] { fast.one(); }); }, Rivals::Goal{bare, 0.85});
  rivals.add(
      "exact sums", [&] { return times([&] { exact.one(); }); }, Rivals::Goal{free, 1 / 1.15});
  rivals.race(rounds);
  rivals.print(fmt::format("a step of {} rows in {}, layers {}", rows, type, fmt::join(widths, "-")));
}

}  // namespace
}  // namespace kernmill::tasks

int main(int argc, char** argv) {
  using namespace kernmill::tasks;
  const MpiSession mpi(argc, argv);
  const Kokkos::ScopeGuard kokkos(argc, argv);
  const Communicator comm = mpi.world();
  const std::uint64_t rows = number_argument(argc, argv, 1, 512);
  const auto rounds = static_cast<int>(number_argument(argc, argv, 2, 11));
  std::vector<std::uint64_t> widths{784, 1024, 1024, 10};
  if (argc > 3) widths.clear();
  for (int i = 3; i < argc; ++i) widths.push_back(number_argument(argc, argv, i, 0));
  compare<float>(comm, widths, rows, rounds, "float32");
  compare<double>(comm, widths, rows, rounds, "float64");
}
