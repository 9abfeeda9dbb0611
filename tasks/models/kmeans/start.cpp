#include "kernmill/tasks/models/kmeans/start.hpp"

#include <cmath>
#include <limits>
#include <numeric>
#include <span>

#include "kernmill/kernels/random.hpp"
#include "kernmill/tasks/learn/rows/leaf_sum.hpp"
#include "kernmill/tasks/models/kmeans/nearest_rows.hpp"

namespace kernmill::tasks {
namespace {

using kernels::Host;
constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr std::uint64_t no_row = std::numeric_limits<std::uint64_t>::max();

/// Draws for one purpose of one restart.
struct Draw {
  std::uint64_t seed, stream;
  [[nodiscard]] double operator()(std::uint64_t index) const { return kernels::uniform(seed, stream, index); }
  /// Of all indices the one with the least is index i with a probability proportional to weight i.
  [[nodiscard]] double waiting_time(std::uint64_t index, double weight) const {
    return weight > 0 ? -std::log1p(-(*this)(index)) / weight : infinity;
  }
};

class Seeding {
 public:
  Seeding(const KMeansSettings& settings, const Communicator& comm, ShardRows& rows, std::uint64_t restart)
      : settings_(settings), comm_(comm), rows_(rows), stream_((restart + 1) << 32U) {
    squared_.assign(own_rows(), infinity);
    nearest_.assign(own_rows(), 0);
    weights_.reserve(own_rows());
    for (const auto& chunk : rows.chunks()) {
      const auto weights = rows.weights_of(chunk);
      weights_.insert(weights_.end(), weights.begin(), weights.end());
    }
  }

  std::vector<double> parallel();
  std::vector<double> plus_plus();

 private:
  [[nodiscard]] Draw draw(std::uint64_t purpose) const { return {settings_.seed, stream_ + purpose}; }
  [[nodiscard]] std::size_t own_rows() const {
    const auto& chunks = rows_.chunks();
    return chunks.empty() ? 0 : chunks.back().rows.end - chunks.front().rows.begin;
  }
  [[nodiscard]] std::uint64_t first_row() const {
    return rows_.chunks().empty() ? 0 : rows_.chunks().front().rows.begin;
  }
  /// Takes in candidates [known, known + the new ones).
  void come_closer(std::span<const double> candidates, std::size_t known);
  [[nodiscard]] double total();
  void take(std::span<const std::uint64_t> rows);
  [[nodiscard]] std::vector<double> counts();
  [[nodiscard]] std::uint64_t first_draw();
  [[nodiscard]] std::uint64_t draw_row(std::uint64_t purpose);
  [[nodiscard]] double weight(std::size_t own) const { return weights_.empty() ? 1.0 : weights_[own]; }

  const KMeansSettings& settings_;
  const Communicator& comm_;
  ShardRows& rows_;
  std::uint64_t stream_;
  std::vector<double> candidates_;  ///< of all ranks
  std::vector<double> squared_;     ///< of this rank's rows, to the nearest candidate
  std::vector<std::size_t> nearest_;
  std::vector<double> weights_;  ///< of this rank's rows; empty: each counts once
};

void Seeding::come_closer(std::span<const double> candidates, std::size_t known) {
  NearestRows nearest(candidates, rows_.features());
  for (const auto& chunk : rows_.chunks()) {
    nearest.find(rows_.features_of(chunk));
    const std::size_t at = chunk.rows.begin - first_row();
    for (std::size_t i = 0; i < chunk.rows.count(); ++i)
      if (nearest.squared()[i] < squared_[at + i]) {
        squared_[at + i] = nearest.squared()[i];
        nearest_[at + i] = known + static_cast<std::size_t>(nearest.labels()[i]);
      }
  }
}

double Seeding::total() {
  LeafSum<Host> sum(comm_, shard_count, 1);
  return sum([&](std::uint64_t shard, const kernels::Vector<Host>& out) {
    out(0) = 0;
    for (const auto& chunk : rows_.chunks_of(shard))
      for (std::uint64_t row = chunk.rows.begin; row < chunk.rows.end; ++row)
        out(0) += weight(row - first_row()) * squared_[row - first_row()];
  })[0];
}

void Seeding::take(std::span<const std::uint64_t> rows) {
  if (rows.empty()) return;
  const std::vector<double> values = rows_.read(rows);
  come_closer(values, candidates_.size() / rows_.features());
  candidates_.insert(candidates_.end(), values.begin(), values.end());
}

std::vector<double> Seeding::counts() {
  LeafSum<Host> sum(comm_, shard_count, candidates_.size() / rows_.features());
  const auto counts = sum([&](std::uint64_t shard, const kernels::Vector<Host>& out) {
    Kokkos::deep_copy(out, 0.0);
    for (const auto& chunk : rows_.chunks_of(shard))
      for (std::uint64_t row = chunk.rows.begin; row < chunk.rows.end; ++row)
        out(nearest_[row - first_row()]) += weight(row - first_row());
  });
  return {counts.begin(), counts.end()};
}

/// One row of all ranks, by its weight: that at which the weights, added up in order, pass a number drawn.
std::uint64_t Seeding::first_draw() {
  const double drawn = draw(0)(0);
  if (!rows_.are_weighted()) return static_cast<std::uint64_t>(drawn * static_cast<double>(rows_.count()));
  LeafSum<Host> sum(comm_, shard_count, shard_count);
  const storage::IndexRange own = sum.own();
  const auto of_shards = sum([&](std::uint64_t shard, const kernels::Vector<Host>& out) {
    Kokkos::deep_copy(out, 0.0);
    for (const auto& chunk : rows_.chunks_of(shard))
      for (const double weight : rows_.weights_of(chunk)) out(shard) += weight;
  });
  const double goal = drawn * std::accumulate(of_shards.begin(), of_shards.end(), 0.0);
  std::uint64_t shard = 0, last = shard_count - 1, which = no_row;
  while (last > 0 && of_shards[last] == 0) --last;
  double before = 0;
  while (shard < last && before + of_shards[shard] <= goal) before += of_shards[shard++];
  if (shard >= own.begin && shard < own.end) {
    for (const auto& chunk : rows_.chunks_of(shard))
      for (std::uint64_t row = chunk.rows.begin; row < chunk.rows.end; ++row) {
        if (before > goal) break;
        if (weight(row - first_row()) > 0) which = row;  // of rounding the last that weighs anything
        before += weight(row - first_row());
      }
  }
  return comm_.allreduce(which, Reduction::min);
}

/// One row of all ranks, by its weight times its squared distance; `no_row` where each of them is a
/// candidate.
std::uint64_t Seeding::draw_row(std::uint64_t purpose) {
  const Draw wait = draw(purpose);
  double least = infinity;
  std::uint64_t which = no_row;
  for (std::size_t i = 0; i < squared_.size(); ++i)
    if (const double time = wait.waiting_time(first_row() + i, weight(i) * squared_[i]); time < least) {
      least = time;
      which = first_row() + i;
    }
  const double first = comm_.allreduce(least, Reduction::min);
  return comm_.allreduce(least == first ? which : no_row, Reduction::min);
}

/// k of the candidates, by how many rows each stands for: k-means++ among few.
std::vector<double> choose_weighted(std::span<const double> candidates, std::span<const double> weights,
                                    std::size_t features, std::uint64_t k, Draw wait) {
  const std::size_t count = weights.size();
  std::vector<double> squared, chosen;
  squared.assign(count, 1.0);
  chosen.reserve(k * features);
  for (std::uint64_t c = 0; c < k; ++c) {
    std::size_t which = c % count;  // where each candidate is taken, one comes twice
    double least = infinity;
    for (std::size_t i = 0; i < count; ++i)
      if (const double time = wait.waiting_time(c * count + i, weights[i] * squared[i]); time < least) {
        least = time;
        which = i;
      }
    const auto center = candidates.subspan(which * features, features);
    chosen.insert(chosen.end(), center.begin(), center.end());
    for (std::size_t i = 0; i < count; ++i) {
      double apart = 0;
      for (std::size_t j = 0; j < features; ++j) {
        const double gap = candidates[i * features + j] - center[j];
        apart += gap * gap;
      }
      squared[i] = c == 0 ? apart : std::fmin(squared[i], apart);
    }
  }
  return chosen;
}

std::vector<double> Seeding::parallel() {
  constexpr std::uint64_t rounds = 5;
  const double wanted = 2.0 * static_cast<double>(settings_.k);
  take(std::vector{first_draw()});
  for (std::uint64_t round = 1; round <= rounds; ++round) {
    const double all = total();
    const Draw chance = draw(round);
    std::vector<std::uint64_t> drawn;
    for (std::size_t i = 0; i < squared_.size(); ++i)
      if (chance(first_row() + i) * all < wanted * weight(i) * squared_[i]) drawn.push_back(first_row() + i);
    take(comm_.allgatherv(std::span<const std::uint64_t>(drawn)));
  }
  for (std::uint64_t more = rounds + 1; candidates_.size() / rows_.features() < settings_.k; ++more) {
    const std::uint64_t row = draw_row(more);
    if (row == no_row) break;
    take(std::vector{row});
  }
  return choose_weighted(candidates_, counts(), rows_.features(), settings_.k, draw(1U << 31U));
}

std::vector<double> Seeding::plus_plus() {
  take(std::vector{first_draw()});
  for (std::uint64_t c = 1; c < settings_.k; ++c) {
    const std::uint64_t row = draw_row(c);
    take(std::vector{row == no_row ? c % rows_.count() : row});
  }
  return candidates_;
}

}  // namespace

std::vector<double> kmeans_start(const KMeansSettings& settings, const Communicator& comm, ShardRows& rows,
                                 std::uint64_t restart) {
  Seeding seeding(settings, comm, rows, restart);
  return settings.init == KMeansStart::parallel ? seeding.parallel() : seeding.plus_plus();
}

}  // namespace kernmill::tasks
