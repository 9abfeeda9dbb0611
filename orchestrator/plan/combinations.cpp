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
  if (matrix.axes.empty()) return 0;
  std::uint64_t size = 1;
  for (const Matrix::Axis& axis : matrix.axes) {
    size *= axis.values.size();
    if (size > most) throw std::length_error("a matrix may have 4294967295 combinations at most");
  }
  return static_cast<std::uint32_t>(size);
}

/// For each axis, the places of the values that the rule speaks of: all of them where it does not name the
/// axis. Nothing when the rule names what is no axis, and so agrees with no combination.
std::optional<std::vector<std::vector<std::uint32_t>>> places(const Matrix& matrix, const Json& rule) {
  std::size_t named = 0;
  std::vector<std::vector<std::uint32_t>> result(matrix.axes.size());
  for (std::size_t a = 0; a < matrix.axes.size(); ++a) {
    const Matrix::Axis& axis = matrix.axes[a];
    const auto wanted = rule.find(axis.name);
    if (wanted != rule.end()) ++named;
    for (std::uint32_t v = 0; v < axis.values.size(); ++v)
      if (wanted == rule.end() || axis.values[v] == *wanted) result[a].push_back(v);
  }
  if (named != rule.size()) return {};
  return result;
}

/// Marks every combination of the places: costs no more than what it marks.
void mark(const Matrix& matrix, const std::vector<std::vector<std::uint32_t>>& places, std::size_t axis,
          std::uint32_t prefix, std::vector<bool>& marked) {
  if (axis == places.size()) {
    marked[prefix] = true;
    return;
  }
  const auto radix = static_cast<std::uint32_t>(matrix.axes[axis].values.size());
  for (const std::uint32_t place : places[axis])
    mark(matrix, places, axis + 1, prefix * radix + place, marked);
}

const Matrix::Cut& known(const Matrix::Cut& cut, std::uint32_t number) {
  if (cut.number != number)
    throw std::out_of_range("this plan knows another combination of the matrix alone");
  return cut;
}

}  // namespace

Combinations::Combinations(const Matrix& matrix)
    : product_(cross_product_size(matrix)), included_(static_cast<std::uint32_t>(matrix.include.size())) {
  if (!matrix.exclude.empty() && product_ > 0) leave_out(matrix, product_);
  if (std::uint64_t{product_} + included_ > most)
    throw std::length_error("a matrix may have 4294967295 combinations at most");
}

void Combinations::leave_out(const Matrix& matrix, std::uint32_t all) {
  if (all > limits::instances)
    throw std::length_error(
        fmt::format("a matrix with 'exclude' may have {} combinations at most", limits::instances));
  std::vector<bool> excluded(all, false);
  for (const Json& rule : matrix.exclude)
    if (const auto matching = places(matrix, rule)) mark(matrix, *matching, 0, 0, excluded);
  product_ = static_cast<std::uint32_t>(std::count(excluded.begin(), excluded.end(), false));
  if (product_ == all) return;
  kept_.reserve(product_);
  for (std::uint32_t position = 0; position < all; ++position)
    if (!excluded[position]) kept_.push_back(position);
}

std::vector<std::uint32_t> Combinations::digits(const Matrix& matrix, std::uint32_t number) const {
  std::uint32_t rest = kept_.empty() ? number : kept_[number];
  std::vector<std::uint32_t> places(matrix.axes.size());
  for (std::size_t a = matrix.axes.size(); a-- > 0;) {
    const auto radix = static_cast<std::uint32_t>(matrix.axes[a].values.size());
    places[a] = rest % radix;
    rest /= radix;
  }
  return places;
}

Json Combinations::texts(const Matrix& matrix, std::uint32_t number) const {
  if (matrix.cut) return known(*matrix.cut, number).texts;
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
         a.include_texts == b.include_texts;
}

}  // namespace kernmill
