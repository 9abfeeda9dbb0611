#include "kernmill/tasks/data/prepare/target.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <span>

#include <fmt/format.h>

#include "kernmill/base/table/csv.hpp"
#include "kernmill/tasks/data/prepare/categories.hpp"

namespace kernmill::tasks {
namespace {

/// How many of the column's values look like what, over all ranks.
struct Census {
  std::array<std::uint64_t, 5> counts{};
  enum What { whole, inexact, fraction, not_finite, text };
  static What look_at(const std::string& value) {
    double number = 0;
    const std::string reason = parse_number(value, number);
    if (!reason.empty()) return reason == "is not a finite number" ? not_finite : text;
    if (std::floor(number) == number && std::abs(number) < end_of_exact_integers) return whole;
    if (!is_integer(value)) return fraction;
    return parse_exact_number(value, number).empty() ? whole : inexact;
  }
  [[nodiscard]] bool has(What what) const { return counts[what] > 0; }
};

/// Of a text that is a whole number.
std::string whole_number(const std::string& text) {
  if (is_integer(text)) return shortest_integer(text);
  double number = 0;
  parse_number(text, number);
  return fmt::format("{}", static_cast<std::int64_t>(number));
}

/// In the order of the numbers, which may be of any length.
bool is_smaller(const std::string& a, const std::string& b) {
  const bool negative = a[0] == '-';
  if (negative != (b[0] == '-')) return negative;
  const bool smaller = a.size() != b.size() ? a.size() < b.size() : a < b;
  return negative ? !smaller && a != b : smaller;
}

Target classes_of(const Communicator& comm, const Dictionary& column, const std::string& name) {
  const Categories categories = distinct_categories(comm, column);
  Target target;
  target.kind = storage::TargetKind::classes;
  target.classes = categories.texts;
  target.values = places_in(categories, column);
  target.respelled = note_of_spellings(categories, name);
  return target;
}

Target whole_classes_of(const Communicator& comm, const Dictionary& column) {
  Dictionary numbers;
  std::vector<std::uint32_t> codes;
  for (const auto& text : column.texts()) codes.push_back(numbers.code_of(whole_number(text)));
  Target target;
  target.kind = storage::TargetKind::classes;
  target.classes = distinct_categories(comm, numbers).texts;
  std::sort(target.classes.begin(), target.classes.end(), is_smaller);
  for (const std::uint32_t code : codes)
    target.values.push_back(static_cast<double>(
        std::lower_bound(target.classes.begin(), target.classes.end(), numbers.texts()[code], is_smaller) -
        target.classes.begin()));
  return target;
}

}  // namespace

Target make_target(const Communicator& comm, const Dictionary& column, const std::string& name,
                   TargetType type) {
  Census census;
  for (const auto& text : column.texts()) ++census.counts[Census::look_at(text)];
  comm.allreduce(std::span<std::uint64_t>(census.counts), Reduction::sum);
  const bool whole_only =
      !census.has(Census::fraction) && !census.has(Census::text) && !census.has(Census::not_finite);
  if (whole_only) return whole_classes_of(comm, column);
  if (type == TargetType::classes) return classes_of(comm, column, name);
  const bool numbers =
      census.has(Census::whole) || census.has(Census::fraction) || census.has(Census::inexact);
  Target target;
  target.mixed =
      (census.has(Census::fraction) && (census.has(Census::text) || census.has(Census::inexact))) ||
      (numbers && census.has(Census::not_finite));
  if (target.mixed) return target;
  if (census.has(Census::text) || !numbers) return classes_of(comm, column, name);
  target.kind = storage::TargetKind::numbers;
  for (const auto& text : column.texts()) parse_number(text, target.values.emplace_back());
  return target;
}

}  // namespace kernmill::tasks
