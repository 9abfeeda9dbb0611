#include <numeric>

#include "kernmill/tasks/learn/rows/memory.hpp"
#include "kernmill/tasks/models/kernel_svm/classes.hpp"
#include "kernmill/tasks/models/kernel_svm/newton.hpp"
#include "kernmill/tasks/models/kernel_svm/random_features.hpp"
#include "kernmill/tasks/models/tensors.hpp"
#include "kernmill/tasks/support/spec.hpp"

namespace kernmill::tasks {
namespace {

/// The sum of (x - center)^power over all numbers of the training rows, zeros of sparse ones included.
double sum_of_powers(const Communicator& comm, const Rows& rows, double center, bool squared) {
  LeafSum<kernels::Host> sum(comm, shard_count, 1);
  return sum([&](std::uint64_t leaf, const kernels::Vector<kernels::Host>& out) {
    std::vector<storage::IndexRange> chunks;
    append_chunks(shard_of(rows.count(), leaf), Network::chunk_rows, chunks);
    const auto term = [&](double x) { return squared ? (x - center) * (x - center) : x - center; };
    out(0) = 0;
    for (const storage::IndexRange& range : chunks) {
      HostRows read;
      read.read(rows, range);
      const std::vector<double>& values = rows.is_sparse() ? read.sparse.values : read.features;
      for (const double value : values) out(0) += term(value);
      out(0) += static_cast<double>(range.count() * rows.features() - values.size()) * term(0);
    }
  })[0];
}

double gamma_of(const KernelSvmSettings& settings, const Communicator& comm, const Rows& rows) {
  using Gamma = KernelSvmSettings::Gamma;
  if (settings.gamma == Gamma::given) return settings.kernel.gamma;
  const auto features = static_cast<double>(rows.features());
  if (settings.gamma == Gamma::by_features) return 1 / features;
  const double count = features * static_cast<double>(rows.count());
  const double mean = sum_of_powers(comm, rows, 0, false) / count;
  const double variance = sum_of_powers(comm, rows, mean, true) / count;
  return variance > 0 ? 1 / (features * variance) : 1 / features;
}

void require_rbf(const KernelSvmSettings& settings) {
  if (settings.kernel.type == kernels::KernelType::rbf) return;
  throw TaskError("random_features approximate the rbf kernel, and the model has another", {},
                  "use `kernel: rbf`, or leave random_features out; a linear kernel is that of linear_svm");
}

}  // namespace

Fit fit_random_features(const Json& config, const FitData& data, Session& session) {
  const Communicator& comm = session.comm();
  const storage::Schema& schema = data.rows.schema();
  const KernelSvmSettings settings = read_kernel_svm(setting(config, "model"));
  require_rbf(settings);
  const SvmClasses classes = look_at_classes(comm, data, settings, config);
  const double gamma = gamma_of(settings, comm, data.rows);
  const auto seed = setting_as<std::uint64_t>(config, "seed");
  const std::uint64_t pairs = settings.random_features / 2, memory = memory_for_rows(comm);
  FourierMap map(data.rows.features(), pairs, gamma, seed);
  SquaredHinge loss(session, data.rows, map, classes.C,
                    config.contains("cache") ? setting_as<std::uint64_t>(config, "cache") : memory);
  const std::size_t outputs = classes.counts.size(), features = map.outputs();
  const HingeMinimum at = minimize_hinge(session, loss, features, outputs, settings.tolerance);
  Fit fit{{"kernel_svm", config.dump(), schema, {}}, {}};
  fit.model.parameters = {{"weights", {features, outputs}, at.weights}, vector_tensor("gamma", {gamma})};
  fit.metrics = {{"objective", std::accumulate(at.objectives.begin(), at.objectives.end(), 0.0)},
                 {"objective_per_class", at.objectives},
                 {"iterations", at.iterations},
                 {"train_accuracy", at.right / static_cast<double>(data.rows.count())},
                 {"rows", data.rows.count()}};
  if (classes.missing > 0) fit.metrics["untrained_classes"] = classes.missing;
  return fit;
}

}  // namespace kernmill::tasks
