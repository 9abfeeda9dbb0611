#include "kernmill/tasks/data/prepare/split.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "kernmill/kernels/tabulated_permutation.hpp"
#include "kernmill/tasks/support/task_error.hpp"

namespace kernmill::tasks {
namespace {

using storage::Part;
using Counts = std::vector<std::uint64_t>;

std::uint64_t rounded(double fraction, std::uint64_t n) {
  return static_cast<std::uint64_t>(std::llround(fraction * static_cast<double>(n)));
}

// 0.7 * 10 is a little below 7 in some products: what is meant is the whole number.
std::uint64_t floored(double fraction, std::uint64_t n) {
  return static_cast<std::uint64_t>(std::floor(fraction * static_cast<double>(n) + 1e-9));
}

/// How many samples of each class go where; unstratified is one class.
struct Quotas {
  Counts size, test, validation;
};

Part part_at(std::uint64_t place, std::uint64_t test, std::uint64_t validation) {
  if (place < test) return Part::test;
  return place < test + validation ? Part::validation : Part::train;
}

/// A column of the samples that holds indices.
std::vector<std::uint32_t> indices_in(const Samples& samples, std::size_t column) {
  std::vector<std::uint32_t> indices;
  indices.reserve(samples.count());
  samples.rows.each_block([&](std::uint64_t, std::span<const double> rows) {
    for (std::size_t i = column; i < rows.size(); i += samples.layout.width())
      indices.push_back(static_cast<std::uint32_t>(rows[i]));
  });
  return indices;
}

/// What is shared out, and in how many strata: the samples, those of each class, or the groups.
struct Strata {
  std::vector<std::uint32_t> of;        ///< each of this rank's samples; empty: all are in one
  std::vector<std::uint64_t> sizes;     ///< over all ranks
  std::vector<std::uint64_t> below;     ///< how many of each the lower ranks have
  std::vector<std::uint32_t> group_of;  ///< of each sample, where groups are shared out
};

Strata strata_of(const Communicator& comm, const SplitSettings& split, const Samples& samples,
                 std::size_t classes) {
  Strata strata;
  if (!split.group.empty()) {
    strata.group_of = indices_in(samples, samples.layout.group());
    strata.sizes = {samples.groups};
    return strata;
  }
  if (split.stratify && classes == 0)
    throw TaskError("`stratify` needs a target of classes", {},
                    "leave it out, or set the target's type to class");
  if (split.stratify) strata.of = indices_in(samples, samples.layout.target());
  strata.below.assign(split.stratify ? classes : 1, 0);
  if (!split.stratify) strata.below[0] = samples.count();
  for (const std::uint32_t stratum : strata.of) ++strata.below[stratum];
  strata.sizes = strata.below;
  comm.exscan(std::span(strata.below));
  comm.allreduce(std::span(strata.sizes), Reduction::sum);
  return strata;
}

/// What `part_of` says of the place of each sample within its stratum, or of its group's among the groups.
template <class PartOf>
std::vector<Part> by_place(Strata strata, const Samples& samples, const PartOf& part_of) {
  std::vector<Part> parts;
  parts.reserve(samples.count());
  for (std::uint64_t i = 0; i < samples.count(); ++i) {
    const std::size_t stratum = strata.of.empty() ? 0 : strata.of[i];
    const std::uint64_t place = strata.group_of.empty() ? strata.below[stratum]++ : strata.group_of[i];
    parts.push_back(part_of(stratum, place));
  }
  return parts;
}

std::vector<kernels::TabulatedPermutation> orders_of(const Strata& strata, std::uint64_t seed) {
  std::vector<kernels::TabulatedPermutation> orders;
  for (std::size_t c = 0; c < strata.sizes.size(); ++c) orders.emplace_back(strata.sizes[c], seed, c);
  return orders;
}

std::vector<Part> every(const Communicator& comm, const SplitSettings& split, const Samples& samples,
                        std::size_t classes) {
  const Strata strata = strata_of(comm, split, samples, classes);
  const auto orders = orders_of(strata, split.seed.value_or(0));
  // Dealt out one stratum after the other: each goes on with the fold behind the one where the last ended.
  Counts before(strata.sizes.size(), 0);
  std::exclusive_scan(strata.sizes.begin(), strata.sizes.end(), before.begin(), std::uint64_t{0});
  return by_place(strata, samples, [&](std::size_t stratum, std::uint64_t place) {
    const std::uint64_t at = before[stratum] + (split.seed ? orders[stratum](place) : place);
    return at % split.every == split.offset ? Part::test : Part::train;
  });
}

std::vector<Part> chronological(const SplitSettings& split, const Samples& samples) {
  const std::uint64_t train = floored(split.train, samples.total);
  const std::uint64_t validation = floored(split.validation, samples.total);
  std::vector<Part> parts;
  for (std::uint64_t i = samples.first; i < samples.first + samples.count(); ++i)
    parts.push_back(i < train ? Part::train : i < train + validation ? Part::validation : Part::test);
  return parts;
}

Quotas quotas_of(const SplitSettings& split, Counts sizes) {
  const std::uint64_t total = std::reduce(sizes.begin(), sizes.end());
  Quotas quotas{std::move(sizes), {}, {}};
  const std::uint64_t test = rounded(split.test, total);
  const std::uint64_t validation = rounded(split.validation, total);
  quotas.test = largest_remainder(quotas.size, test, quotas.size);
  Counts left = quotas.size;
  for (std::size_t c = 0; c < left.size(); ++c) left[c] -= quotas.test[c];
  quotas.validation = largest_remainder(quotas.size, validation, left);
  return quotas;
}

std::vector<Part> random(const Communicator& comm, const SplitSettings& split, const Samples& samples,
                         std::size_t classes) {
  const Strata strata = strata_of(comm, split, samples, classes);
  const Quotas quotas = quotas_of(split, strata.sizes);
  const auto orders = orders_of(strata, split.seed.value_or(0));
  return by_place(strata, samples, [&](std::size_t stratum, std::uint64_t place) {
    return part_at(orders[stratum](place), quotas.test[stratum], quotas.validation[stratum]);
  });
}

}  // namespace

std::vector<std::uint64_t> largest_remainder(const Counts& weights, std::uint64_t total, const Counts& caps) {
  const std::uint64_t all = std::reduce(weights.begin(), weights.end());
  Counts shares(weights.size(), 0), remainders(weights.size(), 0);
  if (all == 0) return shares;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const auto product = static_cast<unsigned __int128>(weights[i]) * total;
    shares[i] = std::min(static_cast<std::uint64_t>(product / all), caps[i]);
    remainders[i] = static_cast<std::uint64_t>(product % all);
  }
  std::vector<std::size_t> order(weights.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return remainders[a] > remainders[b]; });
  std::uint64_t given = std::reduce(shares.begin(), shares.end());
  for (bool progress = true; given < total && progress;) {
    progress = false;
    for (const std::size_t i : order) {
      if (given == total || shares[i] == caps[i]) continue;
      ++shares[i];
      ++given;
      progress = true;
    }
  }
  return shares;
}

std::vector<Part> assign_parts(const Communicator& comm, const SplitSettings& split, const Samples& samples,
                               std::size_t classes) {
  switch (split.type) {
    case SplitType::every:
      return every(comm, split, samples, classes);
    case SplitType::chronological:
      return chronological(split, samples);
    case SplitType::random:
      return random(comm, split, samples, classes);
    case SplitType::none:
      break;
  }
  return std::vector<Part>(samples.count(), Part::train);
}

}  // namespace kernmill::tasks
