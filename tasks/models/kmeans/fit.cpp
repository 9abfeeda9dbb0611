#include "kernmill/tasks/learn/train/fit.hpp"

#include <algorithm>
#include <cstdio>

#include <fmt/format.h>

#include "kernmill/tasks/learn/rows/leaf_sum.hpp"
#include "kernmill/tasks/learn/rows/memory.hpp"
#include "kernmill/tasks/learn/train/without_target.hpp"
#include "kernmill/tasks/models/kmeans/centers.hpp"
#include "kernmill/tasks/models/kmeans/method.hpp"
#include "kernmill/tasks/models/kmeans/model.hpp"
#include "kernmill/tasks/models/kmeans/nearest_rows.hpp"
#include "kernmill/tasks/models/kmeans/start.hpp"
#include "kernmill/tasks/models/tensors.hpp"
#include "kernmill/tasks/support/task_error.hpp"

namespace kernmill::tasks {
namespace {

/// Centers of Lloyd's method are kept less the mean, those of mini-batches as they are.
std::vector<double> moved_by(std::vector<double> centers, const std::vector<double>& mean, double sign) {
  for (std::size_t i = 0; i < centers.size(); ++i) centers[i] += sign * mean[i % mean.size()];
  return centers;
}

std::vector<double> first_centers(const KMeansSettings& settings, const FitData& data, const Session& session,
                                  ShardRows& rows, std::uint64_t restart) {
  if (data.start == nullptr) return kmeans_start(settings, session.comm(), rows, restart);
  if (data.start->type != "kmeans" || data.start->schema.features != data.rows.schema().features)
    throw TaskError("the model of 'start_from' is no k-means model of these features", {},
                    "start from one of the same features, or leave 'start_from' out");
  std::vector<double> centers = kmeans_centers(*data.start);
  if (centers.size() == settings.k * rows.features()) return centers;
  throw TaskError(fmt::format("the model of 'start_from' has {} centers, and this one {}",
                              centers.size() / rows.features(), settings.k),
                  {}, "write the same `k`");
}

/// What a checkpoint holds. The number of a step counts those of all restarts.
storage::Checkpoint state_of(const KMeansProgress& progress) {
  storage::Checkpoint checkpoint;
  auto& tensors = checkpoint.tensors;
  tensors.push_back(vector_tensor("centers", progress.run.centers));
  tensors.push_back(vector_tensor(
      "position", {static_cast<double>(progress.restart), static_cast<double>(progress.run.iterations),
                   static_cast<double>(progress.steps_before)}));
  if (!progress.counts.empty()) tensors.push_back(vector_tensor("counts", progress.counts));
  if (progress.best.centers.empty()) return checkpoint;
  tensors.push_back(vector_tensor("best", progress.best.centers));
  tensors.push_back(vector_tensor("best_run", {static_cast<double>(progress.best.iterations),
                                               progress.best.converged ? 1.0 : 0.0, progress.best_inertia}));
  return checkpoint;
}

KMeansProgress progress_of(const storage::Checkpoint& checkpoint, std::size_t centers, std::size_t k) {
  const auto& tensors = checkpoint.tensors;
  KMeansProgress progress;
  const auto position = values_of(tensors, "position", 3);
  progress.restart = static_cast<std::uint64_t>(position[0]);
  progress.run = {values_of(tensors, "centers", centers), static_cast<std::uint64_t>(position[1]), false};
  progress.steps_before = static_cast<std::uint64_t>(position[2]);
  if (holds(tensors, "counts")) progress.counts = values_of(tensors, "counts", k);
  if (!holds(tensors, "best")) return progress;
  const auto best = values_of(tensors, "best_run", 3);
  progress.best = {values_of(tensors, "best", centers), static_cast<std::uint64_t>(best[0]), best[1] == 1.0};
  progress.best_inertia = best[2];
  return progress;
}

void require_rows(const KMeansSettings& settings, std::uint64_t rows) {
  if (settings.k > rows)
    throw TaskError(fmt::format("{} clusters cannot be made of {} rows", settings.k, rows), {},
                    "choose a `k` that is at most the number of training rows");
}

/// The best of the restarts, the first of equal ones.
KMeansProgress run_restarts(const KMeansSettings& settings, const FitData& data, ShardRows& rows,
                            Session& session) {
  const Spread spread = spread_of(session.comm(), rows);
  session.check_finite(spread.squares, 0, "iteration");
  KMeansProgress progress;
  if (const auto checkpoint = session.resume())
    progress = progress_of(*checkpoint, settings.k * rows.features(), settings.k);
  for (; progress.restart < settings.restarts; ++progress.restart) {
    const bool by_batches = settings.batch_size.has_value();
    if (progress.run.centers.empty()) {
      progress.run.centers = first_centers(settings, data, session, rows, progress.restart);
      if (!by_batches) progress.run.centers = moved_by(std::move(progress.run.centers), spread.mean, -1);
    }
    by_batches ? iterate_mini_batches(settings, data.rows, session, progress)
               : iterate_lloyd(settings, spread, rows, session, progress);
    KMeansRun run = std::move(progress.run);
    if (!by_batches) run.centers = moved_by(std::move(run.centers), spread.mean, 1);
    const double inertia = clustering_of(session.comm(), rows, run.centers).inertia;
    progress.steps_before += run.iterations;
    if (progress.best.centers.empty() || inertia < progress.best_inertia) {
      progress.best = std::move(run);
      progress.best_inertia = inertia;
    }
    progress.run = {};
    progress.counts.clear();
  }
  return progress;
}

void complain_about_empty(const Clustering& clustering) {
  const auto empty = std::count(clustering.sizes.begin(), clustering.sizes.end(), 0U);
  if (empty > 0)
    fmt::print(stderr,
               "warning: {} of {} clusters have no rows: the data has fewer different rows than that, or the "
               "method ended early\n",
               empty, clustering.sizes.size());
}

}  // namespace

void save_between_steps(Session& session, unsigned wishes, const KMeansProgress& progress) {
  session.after_step(progress.steps_before + progress.run.iterations, wishes,
                     [&] { return state_of(progress); });
}

Clustering clustering_of(const Communicator& comm, ShardRows& rows, std::span<const double> centers) {
  NearestRows nearest(centers, rows.features());
  const std::size_t k = centers.size() / rows.features();
  LeafSum<kernels::Host> sum(comm, shard_count, k + 1);
  const auto sums = sum([&](std::uint64_t shard, const kernels::Vector<kernels::Host>& out) {
    Kokkos::deep_copy(out, 0.0);
    for (const auto& chunk : rows.chunks_of(shard)) {
      nearest.find(rows.features_of(chunk));
      const auto weights = rows.weights_of(chunk);
      for (std::size_t i = 0; i < chunk.rows.count(); ++i) {
        out(static_cast<std::size_t>(nearest.labels()[i])) += 1;
        out(k) += (weights.empty() ? 1.0 : weights[i]) * nearest.squared()[i];
      }
    }
  });
  Clustering clustering{sums[k], {}};
  for (std::size_t c = 0; c < k; ++c) clustering.sizes.push_back(static_cast<std::uint64_t>(sums[c]));
  return clustering;
}

Fit fit_kmeans(const Json& config, const FitData& data, Session& session) {
  const KMeansSettings settings = read_kmeans_settings(config);
  require_rows(settings, data.rows.count());
  const Communicator& comm = session.comm();
  ShardRows rows(comm, data.rows, settings.cache ? *settings.cache : memory_for_rows(comm));
  const KMeansProgress done = run_restarts(settings, data, rows, session);
  const Clustering clustering = clustering_of(comm, rows, done.best.centers);
  session.check_finite(clustering.inertia, done.best.iterations, "iteration");
  if (comm.is_root()) complain_about_empty(clustering);
  Json metrics = {{"inertia", clustering.inertia},
                  {"inertia_per_row", clustering.inertia / data.weight},
                  {"iterations", done.best.iterations},
                  {"cluster_sizes", clustering.sizes},
                  {"rows", rows.count()}};
  if (!settings.batch_size) metrics["converged"] = done.best.converged;
  return {{"kmeans",
           config.dump(),
           without_target(data.rows.schema()),
           {{"centers", {settings.k, rows.features()}, done.best.centers}}},
          std::move(metrics)};
}

}  // namespace kernmill::tasks
