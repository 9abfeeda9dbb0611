#include "kernmill/tasks/data/split.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "kernmill/kernels/permutation.hpp"
#include "kernmill/tasks/support/spec.hpp"

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

std::vector<Part> every(const Json& split, const Samples& samples) {
  const auto step = setting_as<std::uint64_t>(split, "every"),
             offset = setting_as<std::uint64_t>(split, "offset");
  std::vector<Part> parts;
  for (std::uint64_t i = 0; i < samples.count(); ++i)
    parts.push_back((samples.first + i) % step == offset ? Part::test : Part::train);
  return parts;
}

std::vector<Part> chronological(const Json& split, const Samples& samples) {
  const std::uint64_t train = floored(setting_as<double>(split, "train"), samples.total);
  const std::uint64_t validation = floored(setting_as<double>(split, "validation"), samples.total);
  std::vector<Part> parts;
  for (std::uint64_t i = samples.first; i < samples.first + samples.count(); ++i)
    parts.push_back(i < train ? Part::train : i < train + validation ? Part::validation : Part::test);
  return parts;
}

Quotas quotas_of(const Json& split, Counts sizes) {
  const std::uint64_t total = std::reduce(sizes.begin(), sizes.end());
  Quotas quotas{std::move(sizes), {}, {}};
  const std::uint64_t test = rounded(setting_as<double>(split, "test"), total);
  const std::uint64_t validation = rounded(setting_as<double>(split, "validation"), total);
  quotas.test = largest_remainder(quotas.size, test, quotas.size);
  Counts left = quotas.size;
  for (std::size_t c = 0; c < left.size(); ++c) left[c] -= quotas.test[c];
  quotas.validation = largest_remainder(quotas.size, validation, left);
  return quotas;
}

std::vector<Part> random(const Communicator& comm, const Json& split, const Samples& samples,
                         std::size_t classes) {
  const bool stratify = setting_as<bool>(split, "stratify");
  if (stratify && classes == 0)
    throw TaskError("`stratify` needs a target of classes", {},
                    "leave it out, or set the target's type to class");
  const auto class_of = [&](std::uint64_t i) {
    return stratify ? static_cast<std::size_t>(samples.target[i]) : std::size_t{0};
  };
  Counts own(stratify ? classes : 1, 0);
  for (std::uint64_t i = 0; i < samples.count(); ++i) ++own[class_of(i)];
  Counts next = own;  // the place of this rank's first sample within its class
  comm.exscan(std::span(next));
  comm.allreduce(std::span(own), Reduction::sum);
  const Quotas quotas = quotas_of(split, own);
  const auto seed = setting_as<std::uint64_t>(split, "seed");
  std::vector<kernels::Permutation> order;
  for (std::size_t c = 0; c < quotas.size.size(); ++c) order.emplace_back(quotas.size[c], seed, c);
  std::vector<Part> parts;
  for (std::uint64_t i = 0; i < samples.count(); ++i) {
    const std::size_t c = class_of(i);
    parts.push_back(part_at(order[c](next[c]++), quotas.test[c], quotas.validation[c]));
  }
  return parts;
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

std::vector<Part> assign_parts(const Communicator& comm, const Json& split, const Samples& samples,
                               std::size_t classes) {
  const auto type = setting_as<std::string>(split, "type");
  if (type == "every") return every(split, samples);
  if (type == "chronological") return chronological(split, samples);
  if (type == "random") return random(comm, split, samples, classes);
  if (type != "none") throw SpecError("spec.json: the split type '" + type + "' is unknown");
  return std::vector<Part>(samples.count(), Part::train);
}

}  // namespace kernmill::tasks
