// What the device is good for: kernels that memory bounds beside a copy, and a step of a network.
//
//   bench_device [ROUNDS]               kernels beside a copy of as many bytes, the goal is 0.8 of its
//   bandwidth bench_device step ROWS WIDTH...     milliseconds of a step of Adam in float32, rows and all on
//   the device
//
// Needs the kernels alone: no MPI, no HDF5. tests/benchmarks/device.py has PyTorch beside it.
#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

#include "kernmill/kernels/activation.hpp"
#include "kernmill/kernels/optimizer.hpp"
#include "kernmill/kernels/random.hpp"
#include "kernmill/kernels/reduce.hpp"
#include "kernmill/tasks/models/network/network.hpp"

namespace kernmill::tasks {
namespace {

using kernels::Device;

/// Seconds a call, of as many as take long enough for a clock, after one that does not count.
double seconds_a_call(const std::function<void()>& work) {
  using Clock = std::chrono::steady_clock;
  work();
  for (std::size_t calls = 1;; calls *= 2) {
    Device().fence();
    const auto start = Clock::now();
    for (std::size_t i = 0; i < calls; ++i) work();
    Device().fence();
    const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
    if (seconds > 0.05) return seconds / static_cast<double>(calls);
  }
}

/// A kernel, and how many times it goes over its arrays.
struct Bound {
  const char* name;
  double passes;
  std::function<void()> work;
  std::vector<double> shares = {};  ///< of the copy's bandwidth, one a round
};

template <class T>
void compare_with_a_copy(const char* type, std::size_t size, int rounds) {
  using Vector = kernels::Vector<Device, T>;
  const std::size_t columns = 1024, rows = size / columns;
  std::array<Vector, 4> arrays;
  for (Vector& array : arrays) array = Vector("array", size);
  const auto& [a, b, c, d] = arrays;
  const auto bias = Vector("bias", columns), sums = Vector("sums", columns);
  const kernels::Matrix<Device, T> matrix(a.data(), rows, columns), other(b.data(), rows, columns);
  const Device space;
  std::vector<Bound> all;
  all.push_back({"add", 3, [&] { kernels::add<Device, T>(space, a, b); }});
  all.push_back({"bias and ReLU", 2, [&] {
                   kernels::add_bias_and_activate<Device, T>(space, kernels::Activation::relu, bias, matrix);
                 }});
  all.push_back({"ReLU backward", 3, [&] {
                   kernels::backward_activation<Device, T>(space, kernels::Activation::relu, matrix, other);
                 }});
  all.push_back(
      {"sums of columns", 1, [&] {
         for (std::size_t first = 0; first < rows; first += 4096)
           kernels::column_sums<Device, T>(
               space, kernels::rows_of<Device, T>(matrix, first, std::min<std::size_t>(4096, rows - first)),
               sums);
       }});
  all.push_back({"momentum", 5, [&] { kernels::momentum_update<Device, T>(space, {}, {}, a, b, c); }});
  all.push_back({"Adam", 7, [&] { kernels::adam_update<Device, T>(space, {}, 0.1, 0.001, {}, a, b, c, d); }});
  std::vector<double> copies;
  for (int round = 0; round < rounds; ++round) {
    const double pass = seconds_a_call([&] { Kokkos::deep_copy(space, b, a); }) / 2;
    copies.push_back(static_cast<double>(size * sizeof(T)) / pass / 1e9);
    for (Bound& kernel : all) kernel.shares.push_back(kernel.passes * pass / seconds_a_call(kernel.work));
  }
  const auto median = [](std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
  };
  std::printf("%s, arrays of %zu MiB: a copy moves %.0f GB/s\n", type, size * sizeof(T) >> 20U,
              median(copies));
  for (const Bound& kernel : all) {
    const double share = median(kernel.shares);
    std::printf("  %-16s %.2f of a copy's bandwidth, goal 0.80: %s\n", kernel.name, share,
                share >= 0.8 ? "met" : "missed");
  }
}

/// As a training makes it on one rank with fast sums: the loss is read each time.
void time_steps(std::size_t rows, const std::vector<std::uint64_t>& widths) {
  using Vector = kernels::Vector<Device, float>;
  NetworkOf<float> network({widths, kernels::Activation::relu, Loss::cross_entropy});
  const std::size_t size = network.parameter_count();
  const std::vector<double> start = network.start(1);
  const std::vector<float> values(start.begin(), start.end());
  const Vector parameters("parameters", size), gradient("gradient", size), mean("mean", size),
      square("square", size);
  Kokkos::deep_copy(parameters, kernels::host_vector(const_cast<float*>(values.data()), size));
  BatchOf<float> batch;
  const auto random = kernels::make_vector<Device>(rows * widths.front());
  kernels::fill_uniform<Device>(Device(), 1, 1, 1.0, random);
  batch.features = kernels::make_matrix<Device, float>(rows, widths.front());
  kernels::convert<Device, double, float>(Device(), random, Vector(batch.features.data(), random.size()));
  batch.labels = kernels::Labels<Device>("labels", rows);
  const kernels::Matrix<Device> losses("losses", 1, network.losses_length());
  const std::array<std::size_t, 2> whole{0, rows};
  std::uint64_t step = 0;
  double loss = 0;
  const double seconds = seconds_a_call([&] {
    network.fold_gradients(parameters, batch, {whole, 0}, {true, 1, step, 0}, std::span(&gradient, 1),
                           losses);
    loss = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), losses)(0, 0);
    ++step;
    const auto t = static_cast<double>(step);
    kernels::adam_update<Device, float>(Device(), {}, 1 - std::pow(0.9, t), 1 - std::pow(0.999, t),
                                        {1.0 / static_cast<double>(rows), 0}, gradient, mean, square,
                                        parameters);
  });
  std::printf("%.4f ms a step, loss %.4g after %llu\n", 1000 * seconds, loss / static_cast<double>(rows),
              static_cast<unsigned long long>(step));
  if (!std::isfinite(loss)) std::exit(1);
}

}  // namespace
}  // namespace kernmill::tasks

int main(int argc, char** argv) {
  const Kokkos::ScopeGuard kokkos(argc, argv);
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (words.size() >= 4 && words[0] == "step") {
    std::vector<std::uint64_t> widths;
    for (std::size_t i = 2; i < words.size(); ++i) widths.push_back(std::stoull(words[i]));
    kernmill::tasks::time_steps(std::stoull(words[1]), widths);
    return 0;
  }
  const int rounds = words.empty() ? 5 : std::stoi(words[0]);
  // More than caches hold.
  const bool is_host = std::is_same_v<kernmill::kernels::Device, kernmill::kernels::Host>;
  const std::size_t size = is_host ? std::size_t{1} << 23U : std::size_t{1} << 27U;
  std::printf("device: %s\n", kernmill::kernels::Device::name());
  kernmill::tasks::compare_with_a_copy<float>("float32", size, rounds);
  kernmill::tasks::compare_with_a_copy<double>("float64", size / 2, rounds);
}
