#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>

#include <Kokkos_Core.hpp>
#include <fmt/format.h>

#include "kernmill/kernels/random.hpp"
#include "kernmill/storage/dataset/dataset.hpp"
#include "kernmill/tasks/comm/mpi_session.hpp"
#include "kernmill/tasks/kinds/task.hpp"

/// How long training takes, and how much memory it has at most:
///   mpiexec -n 2 bench_learn DIR bytes|doubles|sparse lbfgs|adam ROWS [FEATURES] [ENTRIES] [CACHE]
/// Rows of images, as bytes that are scaled or as the doubles that they are then; or of a few entries each. A
/// dataset that is there already is used again.
namespace kernmill::tasks {
namespace {

namespace fs = std::filesystem;

struct Case {
  std::string kind, optimizer;
  std::uint64_t rows = 0, features = 784, entries = 100;
  std::string cache;
};

storage::Schema schema_of(const Case& wanted) {
  storage::Schema schema;
  for (std::uint64_t i = 1; i <= wanted.features; ++i) schema.features.push_back(fmt::format("f{}", i));
  schema.target = "label";
  schema.target_kind = storage::TargetKind::classes;
  const int classes = wanted.kind == "sparse" ? 2 : 10;
  for (int k = 0; k < classes; ++k) schema.classes.push_back(fmt::format("c{}", k));
  schema.source = "benchmark";
  return schema;
}

/// Rows [first, first + count), the same on any number of ranks.
class Made {
 public:
  Made(const Case& wanted, std::uint64_t first, std::uint64_t count) : wanted_(wanted) {
    for (std::uint64_t row = first; row < first + count; ++row) {
      numbers.push_back(row);
      wanted.kind == "sparse" ? make_sparse(row) : make_image(row);
    }
  }
  std::vector<double> dense, target;
  storage::SparseRows sparse;
  std::vector<std::uint64_t> numbers;

 private:
  void make_image(std::uint64_t row) {
    const auto label = kernels::random_bits(2, 0, row) % 10;
    target.push_back(static_cast<double>(label));
    for (std::uint64_t j = 0; j < wanted_.features; ++j)
      dense.push_back(static_cast<double>((kernels::random_bits(1, row, j) % 256 + label * (j % 10)) % 256) /
                      255);
  }
  /// An entry in each of as many equal parts of the features: ascending, and spread over all.
  void make_sparse(std::uint64_t row) {
    double score = 0;
    for (std::uint64_t e = 0; e < wanted_.entries; ++e) {
      const std::uint64_t part = wanted_.features / wanted_.entries;
      const double x = kernels::uniform(3, row, e);
      const auto column = e * part + static_cast<std::uint64_t>(static_cast<double>(part) * x * x * x);
      sparse.columns.push_back(static_cast<std::uint32_t>(column));
      sparse.values.push_back(1.0);
      score += kernels::uniform(4, 0, column) - 0.5;
    }
    sparse.begins.push_back(sparse.columns.size());
    target.push_back(score > 0 ? 1 : 0);
  }
  const Case& wanted_;
};

storage::Encoding encoding_of(const Case& wanted) {
  storage::Encoding encoding;
  if (wanted.kind == "sparse") {
    encoding.sparse = true;
    encoding.features = storage::Element::f32;
  } else if (wanted.kind == "bytes") {
    encoding.features = storage::Element::u8;
    encoding.center.assign(wanted.features, 0.0);
    encoding.scale.assign(wanted.features, 255.0);
  }
  return encoding;
}

void write(const Communicator& comm, const Case& wanted, const fs::path& file) {
  if (fs::exists(file)) return;
  storage::WriteOptions options;
  options.encoding = encoding_of(wanted);
  if (wanted.kind == "sparse") options.entries = {wanted.rows * wanted.entries, 0, 0};
  storage::DatasetWriter writer(comm.handle(), file, schema_of(wanted), {wanted.rows, 0, 0}, options);
  const auto own = storage::even_share(wanted.rows, comm.rank(), comm.size());
  const std::uint64_t together = 8192;
  const auto most = comm.allreduce((own.count() + together - 1) / together, Reduction::max);
  for (std::uint64_t i = 0; i < most; ++i) {
    const std::uint64_t first = std::min(own.end, own.begin + i * together);
    const Made made(wanted, first, std::min(together, own.end - first));
    using storage::Part;
    wanted.kind == "sparse" ? writer.write_sparse(Part::train, first, first * wanted.entries, made.sparse,
                                                  made.target, made.numbers)
                            : writer.write(Part::train, first, made.dense, made.target, made.numbers);
  }
  writer.commit();
}

Json config_of(const Case& wanted) {
  Json optimizer = {{"type", "lbfgs"}, {"max_iterations", 10}, {"tolerance", 1e-10}, {"history", 10}};
  if (wanted.optimizer == "adam")
    optimizer = {{"type", "adam"},  {"learning_rate", 1e-3}, {"beta1", 0.9},      {"beta2", 0.999},
                 {"epsilon", 1e-8}, {"epochs", 1},           {"batch_size", 1024}};
  Json config = {{"model", {{"type", "softmax"}, {"l2", 1.0}, {"regularize_bias", false}}},
                 {"optimizer", optimizer},
                 {"seed", 0}};
  if (!wanted.cache.empty()) config["cache"] = std::stoull(wanted.cache);
  return config;
}

/// Forgets the most memory that there was until now.
void forget_peak() {
  std::ofstream("/proc/self/clear_refs") << 5;
}
std::uint64_t peak_kilobytes() {
  std::ifstream in("/proc/self/status");
  std::string name;
  for (std::uint64_t value = 0; in >> name; std::getline(in, name))
    if (name == "VmHWM:" && in >> value) return value;
  return 0;
}

void measure(const Communicator& comm, const Case& wanted, const fs::path& place) {
  const fs::path file =
      place / fmt::format("{}_{}_{}_{}.h5", wanted.kind, wanted.rows, wanted.features, wanted.entries);
  write(comm, wanted, file);
  Spec spec;
  spec.kind = "train";
  spec.config = config_of(wanted);
  spec.inputs = {{"data", file}};
  spec.output_directory = place;
  (void)comm.allreduce(0, Reduction::sum);  // all begin together
  forget_peak();
  const auto start = std::chrono::steady_clock::now();
  const Result result = run_train(spec, comm);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  const auto peak = comm.allreduce(peak_kilobytes(), Reduction::sum);
  if (!comm.is_root()) return;
  fmt::print(
      "{} {} {} rows on {} ranks: {:.2f} s, {:.3f} s an iteration; file {:.1f} MB, peak of all ranks {:.1f} "
      "MB\n",
      wanted.kind, wanted.optimizer, wanted.rows, comm.size(), took.count(),
      took.count() / std::max(1.0, result.metrics.at("iterations").get<double>()),
      static_cast<double>(fs::file_size(file)) / 1e6, static_cast<double>(peak) * 1024 / 1e6);
}

}  // namespace
}  // namespace kernmill::tasks

int main(int argc, char** argv) {
  using namespace kernmill::tasks;
  const MpiSession mpi(argc, argv);
  const Kokkos::ScopeGuard kokkos(argc, argv);
  if (argc < 5) {
    std::cerr << "usage: bench_learn DIR bytes|doubles|sparse lbfgs|adam ROWS [FEATURES] [ENTRIES] [CACHE]\n";
    return 2;
  }
  Case wanted{.kind = argv[2], .optimizer = argv[3], .rows = std::stoull(argv[4]), .cache = ""};
  if (argc > 5) wanted.features = std::stoull(argv[5]);
  if (argc > 6) wanted.entries = std::stoull(argv[6]);
  if (argc > 7) wanted.cache = argv[7];
  measure(mpi.world(), wanted, argv[1]);
}
