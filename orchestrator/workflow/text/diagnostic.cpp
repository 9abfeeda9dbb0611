#include "kernmill/workflow/text/diagnostic.hpp"

#include <algorithm>
#include <cctype>
#include <tuple>

#include <fmt/format.h>

namespace kernmill {
namespace {

auto sort_key(const Diagnostic& d) {
  static const std::string nowhere;
  return std::tuple(d.where.file ? std::string_view(d.where.file->path) : std::string_view(nowhere),
                    d.where.line, d.where.column, std::string_view(d.message));
}

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

void Diagnostics::error(Where where, std::string message, std::string help) {
  list_.push_back({Diagnostic::Severity::error, std::move(where), std::move(message), std::move(help)});
}

void Diagnostics::warning(Where where, std::string message, std::string help) {
  list_.push_back({Diagnostic::Severity::warning, std::move(where), std::move(message), std::move(help)});
}

bool Diagnostics::has_errors() const {
  return std::any_of(list_.begin(), list_.end(),
                     [](const Diagnostic& d) { return d.severity == Diagnostic::Severity::error; });
}

void Diagnostics::sort() {
  std::stable_sort(list_.begin(), list_.end(),
                   [](const Diagnostic& a, const Diagnostic& b) { return sort_key(a) < sort_key(b); });
  const auto same = [](const Diagnostic& a, const Diagnostic& b) { return sort_key(a) == sort_key(b); };
  list_.erase(std::unique(list_.begin(), list_.end(), same), list_.end());
}

std::string nearest(std::string_view word, const std::vector<std::string>& candidates) {
  const std::string wanted = lower(word);
  std::string best;
  std::size_t best_distance = std::max<std::size_t>(1, wanted.size() / 3) + 1;
  if (wanted.size() > 100) return best;
  for (const std::string& candidate : candidates) {
    const std::string have = lower(candidate);
    if (have.empty() || have.size() > wanted.size() + best_distance) continue;
    const std::size_t distance = edit_distance(wanted, have);
    if (distance >= best_distance || distance >= std::max(wanted.size(), have.size())) continue;
    best = candidate;
    best_distance = distance;
  }
  return best;
}

}  // namespace kernmill
