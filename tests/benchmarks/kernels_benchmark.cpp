#include <benchmark/benchmark.h>

#include "kernmill/kernels/gemm.hpp"
#include "kernmill/kernels/loss.hpp"
#include "kernmill/kernels/random.hpp"
#include "kernmill/kernels/reduce.hpp"

/// Bare kernels on the default device. Compare numbers of one run only.
namespace {

using namespace kernmill::kernels;

Matrix<Device> random(std::size_t rows, std::size_t columns) {
  auto matrix = make_matrix<Device>(rows, columns);
  fill_uniform<Device>(Device(), 1, 1, 1.0, Vector<Device>(matrix.data(), rows * columns));
  return matrix;
}

void multiply(benchmark::State& state, Multiply how) {
  const auto n = static_cast<std::size_t>(state.range(0));
  const auto a = random(n, n), b = random(n, n), c = random(n, n);
  for (auto _ : state) {
    gemm<Device>(Device(), Transpose::no, Transpose::no, 1.0, a, b, 0.0, c, how);
    Device().fence();
  }
  state.counters["flops"] =
      benchmark::Counter(2.0 * static_cast<double>(n * n * n), benchmark::Counter::kIsIterationInvariantRate);
}
BENCHMARK_CAPTURE(multiply, fast, Multiply::fast)->Arg(32)->Arg(256);
BENCHMARK_CAPTURE(multiply, exact, Multiply::exact)->Arg(32)->Arg(256);

void softmax_loss(benchmark::State& state) {
  const auto z = random(4096, 10), terms = random(4096, 2);
  const Labels<Device> labels("labels", 4096);
  for (auto _ : state) {
    cross_entropy<Device>(Device(), labels, z, terms);
    Device().fence();
  }
  state.SetItemsProcessed(state.iterations() * 4096);
}
BENCHMARK(softmax_loss);

void sum_columns(benchmark::State& state) {
  const auto values = random(1 << 16, 16);
  const auto sums = make_vector<Device>(16);
  for (auto _ : state) column_sums<Device>(Device(), values, sums);
  state.SetBytesProcessed(state.iterations() * (1 << 16) * 16 * 8);
}
BENCHMARK(sum_columns);

}  // namespace

int main(int argc, char** argv) {
  const Kokkos::ScopeGuard kokkos(argc, argv);
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}
