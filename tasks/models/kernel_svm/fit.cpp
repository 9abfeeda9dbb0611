#include "kernmill/tasks/models/kernel_svm/fit.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <numeric>

#include <fmt/format.h>

#include "kernmill/tasks/learn/rows/batch.hpp"
#include "kernmill/tasks/learn/rows/memory.hpp"
#include "kernmill/tasks/learn/score/scores.hpp"
#include "kernmill/tasks/models/kernel_svm/classes.hpp"
#include "kernmill/tasks/models/kernel_svm/pairs.hpp"
#include "kernmill/tasks/models/kernel_svm/settings.hpp"
#include "kernmill/tasks/models/kernel_svm/support_vectors.hpp"
#include "kernmill/tasks/models/kernel_svm/training_rows.hpp"
#include "kernmill/tasks/models/registry.hpp"
#include "kernmill/tasks/support/spec.hpp"

namespace kernmill::tasks {
namespace {

/// Of all numbers together. Every rank has all rows, and adds them up alike.
double variance_of(const std::vector<double>& values) {
  const auto count = static_cast<double>(values.size());
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / count;
  const double sum = std::accumulate(values.begin(), values.end(), 0.0, [&](double before, double value) {
    return before + (value - mean) * (value - mean);
  });
  return sum / count;
}

kernels::KernelFunction kernel_of(const KernelSvmSettings& settings, const TrainingRows& rows,
                                  std::uint64_t features) {
  using Gamma = KernelSvmSettings::Gamma;
  if (!std::all_of(rows.features.begin(), rows.features.end(), [](double x) { return std::isfinite(x); }))
    throw TaskError("a feature of the training rows is no finite number", {}, "look at the dataset");
  kernels::KernelFunction kernel = settings.kernel;
  if (settings.gamma == Gamma::given) return kernel;
  kernel.gamma = 1 / static_cast<double>(features);
  const double variance = settings.gamma == Gamma::scale ? variance_of(rows.features) : 1;
  if (variance > 0) kernel.gamma /= variance;
  return kernel;
}

/// Rows without weight are in no pair.
std::vector<SvmPair> pairs_of(const TrainingRows& all, const std::vector<std::uint64_t>& counts,
                              const std::vector<double>& limits, double tolerance) {
  const auto weight = [&](std::uint64_t row) { return all.weights.empty() ? 1.0 : all.weights[row]; };
  std::vector<std::vector<std::uint64_t>> rows(counts.size());
  for (std::size_t i = 0; i < all.labels.size(); ++i)
    if (weight(i) > 0) rows[all.labels[i]].push_back(i);
  const std::vector<std::size_t> classes = classes_there(counts);
  std::vector<SvmPair> pairs;
  for (std::size_t a = 0; a < classes.size(); ++a) {
    for (std::size_t b = a + 1; b < classes.size(); ++b) {
      SvmPair pair{classes[a], classes[b], {}, {}};
      pair.problem.tolerance = tolerance;
      for (const std::size_t c : {pair.first, pair.second}) {
        pair.problem.rows.insert(pair.problem.rows.end(), rows[c].begin(), rows[c].end());
        pair.problem.signs.resize(pair.problem.rows.size(), c == pair.first ? 1.0 : -1.0);
        for (const std::uint64_t row : rows[c]) pair.problem.limits.push_back(limits[c] * weight(row));
      }
      pairs.push_back(std::move(pair));
    }
  }
  return pairs;
}

SupportVectors support_vectors_of(const std::vector<SvmPair>& pairs, const TrainingRows& rows,
                                  const std::vector<std::uint64_t>& counts, std::uint64_t features) {
  const std::vector<std::size_t> classes = classes_there(counts);
  const std::size_t others = classes.size() - 1;
  std::vector<double> coefficients(rows.labels.size() * others, 0.0);  // of all rows
  std::vector<std::size_t> places(counts.size(), 0);                   // of the classes among those there
  for (std::size_t i = 0; i < classes.size(); ++i) places[classes[i]] = i;
  SupportVectors vectors;
  for (const SvmPair& pair : pairs) {
    for (std::size_t i = 0; i < pair.problem.rows.size(); ++i) {
      const std::size_t other = pair.problem.signs[i] > 0 ? places[pair.second] - 1 : places[pair.first];
      coefficients[pair.problem.rows[i] * others + other] = pair.problem.signs[i] * pair.state.alpha[i];
    }
    vectors.biases.push_back(solution_of(pair.problem, pair.state).bias);
  }
  vectors.per_class.assign(counts.size(), 0);
  for (const std::size_t c : classes) {
    for (std::size_t i = 0; i < rows.labels.size(); ++i) {
      const auto own = coefficients.begin() + static_cast<std::ptrdiff_t>(i * others);
      const auto end = own + static_cast<std::ptrdiff_t>(others);
      if (rows.labels[i] != c || std::all_of(own, end, [](double x) { return x == 0; })) continue;
      const auto row = rows.features.begin() + static_cast<std::ptrdiff_t>(i * features);
      vectors.rows.insert(vectors.rows.end(), row, row + static_cast<std::ptrdiff_t>(features));
      vectors.coefficients.insert(vectors.coefficients.end(), own, end);
      ++vectors.per_class[c];
    }
  }
  return vectors;
}

void warn_of(const std::vector<SvmPair>& pairs, std::uint64_t support_vectors, std::uint64_t rows) {
  const auto endless = std::count_if(pairs.begin(), pairs.end(), [](const SvmPair& pair) {
    return pair.state.iterations >= most_iterations(pair.problem);
  });
  if (endless > 0)
    fmt::print(
        stderr,
        "warning: {} of {} pairs of classes did not get to the tolerance. Raise model.tolerance, lower "
        "model.C, or scale the features\n",
        endless, pairs.size());
  if (support_vectors == rows)
    fmt::print(stderr,
               "warning: every training row is a support vector: the model remembers them all. Lower "
               "model.gamma, raise model.C, or scale the features\n");
}

Json svm_metrics(const std::vector<SvmPair>& pairs, std::uint64_t support_vectors) {
  double objective = 0;
  std::uint64_t iterations = 0;
  Json each = Json::array();
  for (const SvmPair& pair : pairs) {
    each.push_back(solution_of(pair.problem, pair.state).objective);
    objective += each.back().get<double>();
    iterations += pair.state.iterations;
  }
  return {{"objective", objective},
          {"objective_per_pair", std::move(each)},
          {"iterations", iterations},
          {"support_vectors", support_vectors}};
}

}  // namespace

Fit fit_kernel_svm(const Json& config, const FitData& data, Session& session) {
  const Communicator& comm = session.comm();
  const storage::Schema& schema = data.rows.schema();
  const KernelSvmSettings settings = read_kernel_svm(setting(config, "model"));
  const SvmClasses classes = look_at_classes(comm, data, settings, config);
  const std::uint64_t features = data.rows.features(), memory = memory_for_rows(comm);
  TrainingRows rows = gather_training_rows(comm, data.rows, memory);
  const kernels::KernelFunction kernel = kernel_of(settings, rows, features);
  std::vector<SvmPair> pairs = pairs_of(rows, classes.counts, classes.C, settings.tolerance);
  const std::uint64_t cache = config.contains("cache") ? setting_as<std::uint64_t>(config, "cache") : memory;
  solve_pairs(session, features_on_device(rows.features, features), kernel, pairs, cache);
  SupportVectors vectors = support_vectors_of(pairs, rows, classes.counts, features);
  vectors.gamma = kernel.gamma;
  const std::uint64_t count = vectors.rows.size() / features;
  if (comm.is_root()) warn_of(pairs, count, data.rows.count());
  Fit fit{{"kernel_svm", config.dump(), schema, tensors_of(vectors, features)}, svm_metrics(pairs, count)};
  fit.metrics["train_accuracy"] =
      score_classes(comm, data.rows.without_weights(), *open_support_vectors(fit.model))
          .metrics()
          .at("accuracy");
  fit.metrics["rows"] = data.rows.count();
  if (classes.missing > 0) fit.metrics["untrained_classes"] = classes.missing;
  return fit;
}

}  // namespace kernmill::tasks
