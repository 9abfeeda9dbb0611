#include <algorithm>
#include <cmath>
#include <cstdio>

#include <fmt/format.h>

#include "kernmill/tasks/models/kmeans/assignment.hpp"
#include "kernmill/tasks/models/kmeans/method.hpp"

namespace kernmill::tasks {
namespace {

/// Puts the centers of empty clusters at the rows furthest from their own. Returns how many were empty.
std::size_t fill_empty(const std::vector<double>& counts, Assignment& assignment, const ShardRows& rows,
                       std::vector<double>& centers) {
  const auto empty = static_cast<std::size_t>(std::count(counts.begin(), counts.end(), 0.0));
  if (empty == 0) return 0;
  const std::vector<double> seeds = rows.read(assignment.furthest(empty));
  const std::size_t features = rows.features();
  std::size_t at = 0;
  for (std::size_t c = 0; c < counts.size() && at < seeds.size(); ++c) {
    if (counts[c] > 0) continue;
    for (std::size_t j = 0; j < features; ++j)
      centers[c * features + j] = seeds[at + j] - assignment.shift()[j];
    at += features;
  }
  return empty;
}

std::vector<double> means_of(const ClusterSums& sums, std::vector<double> centers, std::size_t features) {
  for (std::size_t i = 0; i < centers.size(); ++i)
    if (sums.counts[i / features] > 0) centers[i] = sums.sums[i] / sums.counts[i / features];
  return centers;
}

double summed_squares(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += (a[i] - b[i]) * (a[i] - b[i]);
  return sum;
}

}  // namespace

// Centers are kept free of the rows' mean while they move; a checkpoint holds them so, too.
void iterate_lloyd(const KMeansSettings& settings, const Spread& spread, ShardRows& rows, Session& session,
                   KMeansProgress& progress) {
  const std::size_t features = rows.features();
  const double entries = static_cast<double>(rows.count()) * static_cast<double>(features);
  const double enough = settings.tolerance * spread.squares / entries;
  Assignment assignment(session.comm(), rows, spread, settings.k);
  KMeansRun& run = progress.run;
  bool said = false;
  while (!run.converged && run.iterations < settings.max_iterations) {
    const ClusterSums sums = assignment(run.centers, session.wishes());
    std::vector<double> next = means_of(sums, run.centers, features);
    const std::size_t empty = fill_empty(sums.counts, assignment, rows, next);
    const double moves = summed_squares(next, run.centers);
    session.check_finite(moves, run.iterations + 1, "iteration");
    run.centers = std::move(next);
    ++run.iterations;
    run.converged = moves <= enough;
    if (empty > 0 && !said && session.comm().is_root())
      fmt::print(stderr,
                 "note: {} of {} clusters lost their rows in iteration {}, and begin anew at the rows "
                 "furthest from their centers\n",
                 empty, settings.k, run.iterations);
    said = said || empty > 0;
    const bool last = run.converged || run.iterations == settings.max_iterations;
    session.progress(last, [&] {
      return fmt::format("restart {}/{} iteration {}: {} rows moved, centers by {:.3g}", progress.restart + 1,
                         settings.restarts, run.iterations, sums.moved, std::sqrt(moves));
    });
    if (!last) save_between_steps(session, assignment.wishes(), progress);
  }
}

}  // namespace kernmill::tasks
