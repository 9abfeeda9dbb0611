#include "kernmill/tasks/learn/monitor/summary.hpp"

#include <algorithm>
#include <numeric>
#include <optional>
#include <span>

#include <fmt/format.h>

namespace kernmill::tasks {
namespace {

constexpr double noticeable = 2;  // seconds: below that nothing is worth a change

double busy(const Shares& rank) {
  return rank.compute + rank.input;
}

/// The rank that kept the others waiting, and by how much it was slower than they are in the mean.
struct Slowest {
  std::size_t rank = 0;
  double factor = 1;
};

std::optional<Slowest> slowest_of(const std::vector<Shares>& ranks) {
  constexpr double unequal = 1.25;
  if (ranks.size() < 2) return std::nullopt;
  const auto slowest = std::max_element(ranks.begin(), ranks.end(),
                                        [](const Shares& a, const Shares& b) { return busy(a) < busy(b); });
  const double others = std::accumulate(ranks.begin(), ranks.end(), -busy(*slowest),
                                        [](double sum, const Shares& rank) { return sum + busy(rank); }) /
                        static_cast<double>(ranks.size() - 1);
  if (busy(*slowest) - others < noticeable || busy(*slowest) < unequal * others) return std::nullopt;
  return Slowest{static_cast<std::size_t>(slowest - ranks.begin()), busy(*slowest) / others};
}

double mean_of(std::span<const double> values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

/// What the losses of epochs say of their number.
std::optional<std::string> advice_of(std::span<const double> losses, bool stops_early) {
  constexpr std::size_t least_epochs = 10;
  constexpr double still_falling = 0.05, noise = 0.001;
  const std::size_t n = losses.size(), part = n / 5;
  if (n < least_epochs || stops_early) return std::nullopt;
  const auto best = std::min_element(losses.begin(), losses.end());
  const double fall = losses.front() - *best;
  if (!(fall > 0)) return std::nullopt;
  const double before = mean_of(losses.subspan(n - 2 * part, part)), now = mean_of(losses.last(part));
  if (before - now > still_falling * fall)
    return fmt::format(
        "the loss still falls ({:.4g} in the last {} epochs, {:.4g} in those before): more epochs may help",
        now, part, before);
  const auto good_enough =
      std::find_if(losses.begin(), losses.end(), [&](double loss) { return loss <= *best + noise * fall; });
  const auto epochs = static_cast<std::size_t>(good_enough - losses.begin()) + 1;
  if (2 * epochs > n) return std::nullopt;
  return fmt::format(
      "the loss has fallen by less than a thousandth of its way since epoch {} of {}: fewer "
      "epochs, or early_stopping, would do",
      epochs, n);
}

std::string time_of(const Shares& mean, std::size_t ranks) {
  const auto percent = [&](double part) { return 100 * part / mean.all(); };
  return fmt::format(
      "training took {:.3g} s on {} rank{}: computing {:.1f} %, communication {:.1f} %, input {:.1f} %, "
      "checkpoints {:.1f} %",
      mean.all(), ranks, ranks == 1 ? "" : "s", percent(mean.compute), percent(mean.communication),
      percent(mean.input), percent(mean.checkpoint));
}

void advise_on_time(const Shares& mean, const Training& training, std::vector<std::string>& said) {
  const auto is_much = [&](double part, double share) {
    return part >= noticeable && part >= share * mean.all();
  };
  if (is_much(mean.input, 0.2))
    said.emplace_back(
        training.reads_again
            ? "input holds it up, as the rows are read at each iteration: give it more memory for them "
              "(cache: 16G), or more ranks, which share the reading"
            : "input holds it up: more ranks share the reading; so would a faster file system (--runs DIR)");
  if (is_much(mean.checkpoint, 0.05))
    said.emplace_back(
        "checkpoints hold it up: write them less often (checkpoint: {every: auto}, or every: 30m)");
  if (const auto slowest = slowest_of(training.ranks))
    said.push_back(
        fmt::format("the others waited for rank {}, which took {:.2f} times as long as they: look at its "
                    "node and cores, leave that node out (exclude), or give it less to do (balance: dynamic)",
                    slowest->rank, slowest->factor));
  else if (training.ranks.size() > 1 && is_much(mean.communication, 0.35))
    said.emplace_back(
        "communication holds it up: fewer ranks, or a larger optimizer.batch_size, would use them better");
}

}  // namespace

std::vector<std::string> summary_of(const Training& training) {
  Shares mean;
  for (const Shares& rank : training.ranks) mean += rank;
  const auto ranks = static_cast<double>(std::max<std::size_t>(1, training.ranks.size()));
  mean = {mean.compute / ranks, mean.communication / ranks, mean.input / ranks, mean.checkpoint / ranks};
  std::vector<std::string> said;
  if (mean.all() > 0) {
    said.push_back(time_of(mean, training.ranks.size()));
    if (training.rows > 0)
      said.push_back(fmt::format("{:.3g} rows a second", static_cast<double>(training.rows) / mean.all()));
    advise_on_time(mean, training, said);
  }
  if (training.ended_short)
    said.emplace_back(
        "it ended at its last iteration, before it had converged: raise optimizer.max_iterations, or scale "
        "the features (scale: standard in the preprocess stage)");
  if (const auto advice = advice_of(training.losses, training.stops_early)) said.push_back(*advice);
  return said;
}

}  // namespace kernmill::tasks
