#include "kernmill/tasks/models/kmeans/agreement.hpp"

#include <cmath>
#include <vector>

namespace kernmill::tasks {
namespace {

double pairs(double count) {
  return count * (count - 1) / 2;
}

struct Margins {
  std::vector<double> classes, clusters;
  double all = 0;
};

Margins margins_of(std::span<const std::uint64_t> counts, std::size_t clusters) {
  Margins margins{std::vector<double>(counts.size() / clusters), std::vector<double>(clusters), 0};
  for (std::size_t i = 0; i < counts.size(); ++i) {
    const auto count = static_cast<double>(counts[i]);
    margins.classes[i / clusters] += count;
    margins.clusters[i % clusters] += count;
    margins.all += count;
  }
  return margins;
}

double summed_pairs(const std::vector<double>& counts) {
  double sum = 0;
  for (const double count : counts) sum += pairs(count);
  return sum;
}

double entropy(const std::vector<double>& counts, double all) {
  double sum = 0;
  for (const double count : counts)
    if (count > 0) sum -= count / all * std::log(count / all);
  return sum;
}

}  // namespace

Agreement agreement_of(std::span<const std::uint64_t> counts, std::size_t clusters) {
  const Margins margins = margins_of(counts, clusters);
  double together = 0, information = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    const auto count = static_cast<double>(counts[i]);
    together += pairs(count);
    if (count > 0)
      information +=
          count / margins.all *
          std::log(count * margins.all / (margins.classes[i / clusters] * margins.clusters[i % clusters]));
  }
  const double of_classes = summed_pairs(margins.classes), of_clusters = summed_pairs(margins.clusters);
  const double chance = of_classes * of_clusters / pairs(margins.all), most = (of_classes + of_clusters) / 2;
  const double entropies =
      (entropy(margins.classes, margins.all) + entropy(margins.clusters, margins.all)) / 2;
  return {margins.all < 2 || most == chance ? 1.0 : (together - chance) / (most - chance),
          entropies == 0 ? 1.0 : information / entropies};
}

}  // namespace kernmill::tasks
