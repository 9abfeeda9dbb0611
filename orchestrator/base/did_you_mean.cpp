#include "kernmill/base/did_you_mean.hpp"

#include <algorithm>
#include <cctype>

#include <fmt/format.h>

namespace kernmill {
namespace {

std::string lower(std::string_view word) {
  std::string result(word);
  std::transform(result.begin(), result.end(), result.begin(),
                 [](unsigned char c) { return c == '-' ? '_' : static_cast<char>(std::tolower(c)); });
  return result;
}

/// Edits that make `a` into `b`: insertions, deletions, replacements, swaps of neighbours (optimal string
/// alignment).
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before_last(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({replaced, last[j] + 1, row[j - 1] + 1});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        row[j] = std::min(row[j], before_last[j - 2] + 1);
    }
    std::swap(before_last, last);
    std::swap(last, row);
  }
  return last[b.size()];
}

}  // namespace

std::string nearest(std::string_view word, const std::vector<std::string>& candidates) {
  const std::string wanted = lower(word);
  std::string best;
  std::size_t best_distance = std::max<std::size_t>(1, wanted.size() / 3) + 1;
  constexpr std::size_t longest = 100, most_steps = 1'000'000;  // a mistake costs no more than milliseconds
  if (wanted.size() > longest) return best;
  std::size_t steps = 0;
  for (const std::string& candidate : candidates) {
    const std::string have = lower(candidate);
    if (have.empty() || have.size() > wanted.size() + best_distance) continue;
    if ((steps += wanted.size() * have.size()) > most_steps) return "";
    const std::size_t distance = edit_distance(wanted, have);
    if (distance >= best_distance || distance >= std::max(wanted.size(), have.size())) continue;
    best = candidate;
    best_distance = distance;
  }
  return best;
}

std::string did_you_mean(std::string_view word, const std::vector<std::string>& candidates,
                         std::string_view shown) {
  const std::string best = nearest(word, candidates);
  return best.empty() ? "" : fmt::format("did you mean {}?", fmt::format(fmt::runtime(shown), best));
}

}  // namespace kernmill
