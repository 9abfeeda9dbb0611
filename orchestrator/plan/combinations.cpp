#include "kernmill/plan/combinations.hpp"

#include <algorithm>
#include <limits>
#include <optional>
#include <stdexcept>

#include <fmt/format.h>

#include "kernmill/workflow/text/limits.hpp"

namespace kernmill {
namespace {

constexpr std::uint64_t most = std::numeric_limits<std::uint32_t>::max();

std::uint32_t cross_product_size(const Matrix& matrix) {
  if (matrix.cut) return matrix.cut->size;
  if (!matrix.problem.empty()) return 1;
  if (matrix.axes.empty() || matrix.undecided()) return 0;
  std::uint64_t size = 1;
  for (const AxisGroup& group : axis_groups(matrix)) {
    size *= group.size;
    if (size > most) throw std::length_error("a matrix may have 4294967295 combinations at most");
  }
  return static_cast<std::uint32_t>(size);
}

using Groups = std::vector<AxisGroup>;

/// For each group of axes, the places of the values that the rule speaks of: all of them where it names none
/// of the group. Nothing when the rule names what is no axis, and so agrees with no combination.
std::optional<std::vector<std::vector<std::uint32_t>>> places(const Matrix& matrix, const Groups& groups,
                                                              const Json& rule) {
  std::size_t named = 0;
  std::vector<std::vector<std::uint32_t>> result(groups.size());
  for (std::size_t g = 0; g < groups.size(); ++g) {
    std::vector<bool> agrees(groups[g].size, true);
    for (std::size_t a = groups[g].first; a < groups[g].end; ++a) {
      const auto wanted = rule.find(matrix.axes[a].name);
      if (wanted == rule.end()) continue;
      ++named;
      for (std::uint32_t v = 0; v < agrees.size(); ++v)
        agrees[v] = agrees[v] && matrix.axes[a].values[v] == *wanted;
    }
    for (std::uint32_t v = 0; v < agrees.size(); ++v)
      if (agrees[v]) result[g].push_back(v);
  }
  if (named != rule.size()) return {};
  return result;
}

/// Marks every combination of the places: costs no more than what it marks.
void mark(const Groups& groups, const std::vector<std::vector<std::uint32_t>>& places, std::size_t group,
          std::uint32_t prefix, std::vector<bool>& marked) {
  if (group == places.size()) {
    marked[prefix] = true;
    return;
  }
  const auto radix = static_cast<std::uint32_t>(groups[group].size);
  for (const std::uint32_t place : places[group])
    mark(groups, places, group + 1, prefix * radix + place, marked);
}

const Matrix::Cut& known(const Matrix::Cut& cut, std::uint32_t number) {
  if (cut.number != number)
    throw std::out_of_range("this plan knows another combination of the matrix alone");
  return cut;
}

}  // namespace

Combinations::Combinations(const Matrix& matrix) : product_(cross_product_size(matrix)) {
  if (matrix.undecided() || !matrix.problem.empty()) return;
  included_ = static_cast<std::uint32_t>(matrix.include.size());
  if (!matrix.exclude.empty() && product_ > 0) leave_out(matrix, product_);
  if (std::uint64_t{product_} + included_ > most)
    throw std::length_error("a matrix may have 4294967295 combinations at most");
}

void Combinations::leave_out(const Matrix& matrix, std::uint32_t all) {
  if (all > limits::instances)
    throw std::length_error(
        fmt::format("a matrix with 'exclude' may have {} combinations at most", limits::instances));
  std::vector<bool> excluded(all, false);
  const Groups groups = axis_groups(matrix);
  for (const Json& rule : matrix.exclude)
    if (const auto matching = places(matrix, groups, rule)) mark(groups, *matching, 0, 0, excluded);
  product_ = static_cast<std::uint32_t>(std::count(excluded.begin(), excluded.end(), false));
  if (product_ == all) return;
  kept_.reserve(product_);
  for (std::uint32_t position = 0; position < all; ++position)
    if (!excluded[position]) kept_.push_back(position);
}

std::vector<std::uint32_t> Combinations::digits(const Matrix& matrix, std::uint32_t number) const {
  std::uint32_t rest = kept_.empty() ? number : kept_[number];
  std::vector<std::uint32_t> places(matrix.axes.size());
  for (std::size_t end = matrix.axes.size(); end > 0;) {
    std::size_t first = end - 1;
    while (first > 0 && matrix.axes[first].zipped) --first;
    const auto radix = static_cast<std::uint32_t>(matrix.axes[first].values.size());
    std::fill(places.begin() + static_cast<std::ptrdiff_t>(first),
              places.begin() + static_cast<std::ptrdiff_t>(end), rest % radix);
    rest /= radix;
    end = first;
  }
  return places;
}

Json Combinations::texts(const Matrix& matrix, std::uint32_t number) const {
  if (matrix.cut) return known(*matrix.cut, number).texts;
  if (!matrix.problem.empty()) return Json::object();
  if (number >= product_) return matrix.include_text(number - product_);
  const auto places = digits(matrix, number);
  Json result = Json::object();
  for (std::size_t a = 0; a < places.size(); ++a)
    if (std::string text = matrix.axes[a].text(places[a]); !text.empty())
      result[matrix.axes[a].name] = std::move(text);
  return result;
}

Json Combinations::values(const Matrix& matrix, std::uint32_t number) const {
  if (matrix.cut) return known(*matrix.cut, number).values;
  if (!matrix.problem.empty()) return Json::object();
  if (number >= product_) return matrix.include.at(number - product_);
  const auto places = digits(matrix, number);
  Json result = Json::object();
  for (std::size_t a = 0; a < places.size(); ++a)
    result[matrix.axes[a].name] = matrix.axes[a].values[places[a]];
  return result;
}

bool same_combinations(const Matrix& a, const Matrix& b) {
  if (a.cut || b.cut) return a.cut && b.cut && a.cut->group == b.cut->group;
  return !a.empty() && a.axes == b.axes && a.exclude == b.exclude && a.include == b.include &&
         a.include_texts == b.include_texts && a.later == b.later;
}

}  // namespace kernmill
