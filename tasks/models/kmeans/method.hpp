#pragma once
#include <span>
#include <vector>

#include "kernmill/tasks/learn/rows/shard_rows.hpp"
#include "kernmill/tasks/learn/train/session.hpp"
#include "kernmill/tasks/models/kmeans/settings.hpp"

namespace kernmill::tasks {

/// Where a run of k-means from one start has come to.
struct KMeansRun {
  std::vector<double> centers;   ///< k x features; of Lloyd's method less the rows' mean
  std::uint64_t iterations = 0;  ///< of Lloyd's method, else steps
  bool converged = false;
};

/// How good centers are, on all rows.
struct Clustering {
  double inertia = 0;  ///< summed squared distance to the nearest center, of each row by its weight
  std::vector<std::uint64_t> sizes;  ///< in rows
};
/// Collective. The same bits on any number of ranks.
Clustering clustering_of(const Communicator& comm, ShardRows& rows, std::span<const double> centers);

/// Of a restart: what is between its steps, and the best of the restarts before.
struct KMeansProgress {
  std::uint64_t restart = 0, steps_before = 0;
  KMeansRun run;               ///< of this restart; without centers: it has not begun
  std::vector<double> counts;  ///< of mini-batches: what the rows weigh that each center has had so far
  KMeansRun best;
  double best_inertia = 0;
};

/// Lloyd's method (1957) with Hamerly's bounds. Ends when the centers' summed squared moves are at most
/// `tolerance` times the mean variance of a feature (0: when they rest), or after max_iterations. A cluster
/// that lost its rows begins anew at the row furthest from its center. Saves `progress` between its steps,
/// and goes on from there.
void iterate_lloyd(const KMeansSettings& settings, const Spread& spread, ShardRows& rows, Session& session,
                   KMeansProgress& progress);

/// Mini-batches (Sculley, Web-scale k-means clustering, 2010): a center goes to the mean of all rows that it
/// was ever nearest to, each batch judged by the centers before it.
void iterate_mini_batches(const KMeansSettings& settings, const Rows& rows, Session& session,
                          KMeansProgress& progress);

/// After each step but a run's last.
void save_between_steps(Session& session, unsigned wishes, const KMeansProgress& progress);

}  // namespace kernmill::tasks
