#include "kernmill/tasks/learn/parallel/choose_layout.hpp"

#include <algorithm>
#include <array>
#include <tuple>
#include <utility>

#include <fmt/format.h>

namespace kernmill::tasks {
namespace {

constexpr double hardly_more = 1.05, gibibyte = 1 << 30;

std::string milliseconds(double seconds) {
  return fmt::format("{:.3g} ms", 1e3 * seconds);
}

std::string gibibytes(double bytes) {
  return fmt::format("{:.3g} GiB", bytes / gibibyte);
}

std::uint64_t shares_of_layers(const Candidate& candidate) {
  return candidate.layout.tensor * candidate.layout.pipeline;
}

/// What a candidate loses most time by, beside the chosen one.
std::string loses_by(const StepCost& cost, const StepCost& chosen) {
  using Part = std::pair<double, const char*>;
  const std::array<Part, 4> more{Part{cost.compute - chosen.compute, "computing"},
                                 Part{cost.communication - chosen.communication, "communication"},
                                 Part{cost.bubble - chosen.bubble, "waiting of its stages"},
                                 Part{cost.update - chosen.update, "updates"}};
  const auto& [seconds, name] = *std::max_element(more.begin(), more.end());
  return fmt::format("{} more of {}", milliseconds(seconds), name);
}

std::string why_not(const Candidate& candidate, const Candidate& chosen, double limit) {
  const std::string name = text_of(candidate.layout), step = milliseconds(candidate.cost.total());
  if (candidate.memory > limit)
    return fmt::format("{}: it needs {} of memory a rank, of {}", name, gibibytes(candidate.memory),
                       gibibytes(limit));
  if (candidate.cost.total() < chosen.cost.total())
    return fmt::format("{}: {} a step, too little less to share layers for", name, step);
  return fmt::format("{}: {} a step, {}", name, step, loses_by(candidate.cost, chosen.cost));
}

}  // namespace

std::vector<Layout> layouts_of(const Layout& wanted, std::uint64_t ranks, std::uint64_t layers) {
  const auto may = [](std::uint64_t asked, std::uint64_t number) { return asked == 0 || asked == number; };
  std::vector<Layout> layouts;
  for (std::uint64_t pipeline = 1; pipeline <= std::min(layers, ranks); ++pipeline)
    for (std::uint64_t tensor = 1; tensor <= wanted.slices; tensor *= 2) {
      const std::uint64_t data = ranks / (tensor * pipeline);
      const Layout layout{data, tensor, pipeline, wanted.slices};
      if (layout.ranks() == ranks && may(wanted.data, data) && may(wanted.tensor, tensor) &&
          may(wanted.pipeline, pipeline))
        layouts.push_back(layout);
    }
  return layouts;
}

std::vector<Candidate> ranked(std::vector<Candidate> candidates, double limit) {
  const auto place = [&](const Candidate& candidate) {
    const bool fits = candidate.memory <= limit;
    return std::tuple(!fits, fits ? candidate.cost.total() : candidate.memory);
  };
  std::stable_sort(candidates.begin(), candidates.end(),
                   [&](const Candidate& a, const Candidate& b) { return place(a) < place(b); });
  auto chosen = candidates.begin();
  const double enough = hardly_more * chosen->cost.total();
  for (auto at = candidates.begin(); at != candidates.end(); ++at)
    if (at->memory <= limit && at->cost.total() <= enough &&
        shares_of_layers(*at) < shares_of_layers(*chosen))
      chosen = at;
  std::rotate(candidates.begin(), chosen, chosen + 1);
  return candidates;
}

std::vector<std::string> reasons(const std::vector<Candidate>& ranked, double limit) {
  constexpr std::size_t told = 4;
  const Candidate& chosen = ranked.front();
  const StepCost& cost = chosen.cost;
  std::vector<std::string> lines{fmt::format(
      "layout: {}, of {} possible: a step of {} is predicted (computing {}, communication {}, "
      "waiting {}, update {})",
      text_of(chosen.layout), ranked.size(), milliseconds(cost.total()), milliseconds(cost.compute),
      milliseconds(cost.communication), milliseconds(cost.bubble), milliseconds(cost.update))};
  for (std::size_t i = 1; i < std::min(told, ranked.size()); ++i)
    lines.push_back("  not " + why_not(ranked[i], chosen, limit));
  return lines;
}

std::string text_of(const Layout& layout) {
  std::string text = fmt::format("data {}", layout.data);
  if (layout.tensor > 1) text += fmt::format(" x tensor {}", layout.tensor);
  if (layout.pipeline > 1) text += fmt::format(" x pipeline {}", layout.pipeline);
  return text;
}

}  // namespace kernmill::tasks
