#include "kernmill/tasks/learn/score/roc_auc.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

namespace kernmill::tasks {
namespace {

/// How many rows of the class, and how many others, have a score.
struct ScoreCount {
  double score = 0;
  std::uint64_t inside = 0, outside = 0;
};

/// Equal scores become one, in ascending order.
std::vector<ScoreCount> folded(std::vector<ScoreCount> counts) {
  std::sort(counts.begin(), counts.end(),
            [](const ScoreCount& a, const ScoreCount& b) { return a.score < b.score; });
  std::size_t kept = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    if (kept > 0 && counts[kept - 1].score == counts[i].score) {
      counts[kept - 1].inside += counts[i].inside;
      counts[kept - 1].outside += counts[i].outside;
    } else {
      counts[kept++] = counts[i];
    }
  }
  counts.resize(kept);
  return counts;
}

/// This rank's; a score of NaN is counted as it is.
std::vector<ScoreCount> counts_of(const RowStore& judged, std::size_t label, bool probabilities) {
  std::vector<ScoreCount> counts;
  counts.reserve(judged.rows());
  const std::size_t classes = judged.width() - 1;
  judged.each_block([&](std::uint64_t, std::span<const double> block) {
    for (std::size_t at = 0; at < block.size(); at += judged.width()) {
      const double* const scores = block.data() + at + 1;
      const bool inside = block[at] == static_cast<double>(label);
      const double margin = classes == 2 && !probabilities ? scores[1 - label] : 0;
      counts.push_back({scores[label] - margin, inside ? 1U : 0U, inside ? 0U : 1U});
    }
  });
  return counts;
}

/// Where the ranks' shares of the scores begin, but the first.
std::vector<double> bounds_of_shares(const Communicator& comm, const std::vector<ScoreCount>& counts) {
  constexpr std::size_t samples_of_rank = 256;
  std::vector<double> samples;
  const std::size_t step = counts.size() / samples_of_rank + 1;
  for (std::size_t i = step / 2; i < counts.size(); i += step) samples.push_back(counts[i].score);
  std::vector<double> all = comm.allgatherv(std::span<const double>(samples));
  std::sort(all.begin(), all.end());
  std::vector<double> bounds;
  const auto ranks = static_cast<std::size_t>(comm.size());
  for (std::size_t rank = 1; rank < ranks && !all.empty(); ++rank)
    bounds.push_back(all[rank * all.size() / ranks]);
  return bounds;
}

/// Each rank gets the scores of its share from all; equal ones go to the same rank.
std::vector<ScoreCount> sorted_over_ranks(const Communicator& comm, const std::vector<ScoreCount>& counts) {
  const std::vector<double> bounds = bounds_of_shares(comm, counts);
  std::vector<std::uint64_t> to(static_cast<std::size_t>(comm.size()), 0), from;
  std::vector<double> scores;
  std::vector<std::uint64_t> inside, outside;
  for (const ScoreCount& count : counts) {
    const auto bound = std::upper_bound(bounds.begin(), bounds.end(), count.score);
    ++to[static_cast<std::size_t>(bound - bounds.begin())];
    scores.push_back(count.score);
    inside.push_back(count.inside);
    outside.push_back(count.outside);
  }
  const auto exchanged = [&]<class T>(const std::vector<T>& values) {
    return comm.alltoallv(std::span<const T>(values), std::span<const std::uint64_t>(to), from);
  };
  const auto got_scores = exchanged(scores);
  const auto got_inside = exchanged(inside), got_outside = exchanged(outside);
  std::vector<ScoreCount> got;
  for (std::size_t i = 0; i < got_scores.size(); ++i)
    got.push_back({got_scores[i], got_inside[i], got_outside[i]});
  return folded(std::move(got));
}

double area(const Communicator& comm, std::vector<ScoreCount> own) {
  constexpr double none = std::numeric_limits<double>::quiet_NaN();
  const bool bad = std::any_of(own.begin(), own.end(), [](const auto& c) { return std::isnan(c.score); });
  if (comm.allreduce(bad ? 1 : 0, Reduction::max) == 1) return none;
  const std::vector<ScoreCount> counts = sorted_over_ranks(comm, folded(std::move(own)));
  std::uint64_t inside = 0, outside = 0;
  for (const ScoreCount& count : counts) {
    inside += count.inside;
    outside += count.outside;
  }
  // Twice the number of pairs in order, and once that of ties: below 2^64 up to 6e9 rows.
  std::uint64_t below = comm.exscan(outside), pairs = 0;
  for (const ScoreCount& count : counts) {
    pairs += count.inside * (2 * below + count.outside);
    below += count.outside;
  }
  const auto all_inside = static_cast<double>(comm.allreduce(inside, Reduction::sum));
  const auto all_outside = static_cast<double>(comm.allreduce(outside, Reduction::sum));
  const auto all_pairs = static_cast<double>(comm.allreduce(pairs, Reduction::sum));
  return all_inside == 0 || all_outside == 0 ? none : all_pairs / (2 * all_inside * all_outside);
}

}  // namespace

std::vector<double> roc_auc(const Communicator& comm, const RowStore& judged, bool probabilities) {
  const std::size_t classes = judged.width() - 1;
  std::vector<double> areas;
  for (std::size_t label = classes == 2 ? 1 : 0; label < classes; ++label) {
    std::vector<ScoreCount> own;
    comm.agree([&] { own = counts_of(judged, label, probabilities); });
    areas.push_back(area(comm, std::move(own)));
  }
  if (classes == 2) areas.push_back(areas.front());
  return areas;
}

}  // namespace kernmill::tasks
