#include "kernmill/workflow/parse/matrix.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <numeric>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "kernmill/base/did_you_mean.hpp"
#include "kernmill/workflow/parse/axis_sources.hpp"
#include "kernmill/workflow/parse/axis_table.hpp"
#include "kernmill/workflow/text/limits.hpp"

namespace kernmill {
namespace {

Json own_spellings(const Value::Map& items) {
  Json texts = Json::object();
  for (const auto& entry : items)
    if (std::string text = own_spelling(entry.value); !text.empty()) texts[entry.key] = std::move(text);
  return texts;
}

class MatrixReader {
 public:
  explicit MatrixReader(const AxisSurroundings& around) : around_(around), diagnostics_(around.diagnostics) {}

  Matrix read(const Value& value) {
    const auto* map = std::get_if<Value::Map>(&value.data);
    if (map == nullptr || map->empty()) {
      refuse(value.where, "'matrix' takes a map from names to lists of values", "matrix: {lr: [0.1, 0.01]}");
      return {};
    }
    for (const auto& entry : *map)
      if (entry.key != "include" && entry.key != "exclude") axis(entry);
    groups_ = axis_groups(matrix_);
    if (const Value* exclude = value.find("exclude")) combinations(*exclude, "exclude", matrix_.exclude);
    if (const Value* include = value.find("include")) combinations(*include, "include", matrix_.include);
    check_size(value);
    return std::move(matrix_);
  }

  [[nodiscard]] bool broken() const { return broken_; }

 private:
  /// KERNMILL_MATRIX_LR cannot hold both `lr` and `LR`.
  bool has_own_variable(const std::string& name, const Where& where) {
    const auto [other, is_new] = variables_.emplace(matrix_variable(name), name);
    if (is_new || other->second == name) return true;
    refuse(where,
           fmt::format("the axes '{}' and '{}' share one variable, {}", other->second, name, other->first),
           "capitals and signs make no difference there; give one of them another name");
    return false;
  }

  void axis(const Value::Entry& entry) {
    const auto* list = std::get_if<Value::List>(&entry.value.data);
    if (!is_axis_name(entry.key))
      return refuse(entry.key_where, fmt::format("'{}' cannot be the name of an axis", entry.key),
                    "a name begins with a letter; letters, digits, _ and - may follow");
    if (entry.value.is_template()) return void(broken_ = true);  // reported where its name is unknown
    if (entry.key == "zip" && entry.value.is_map()) return zip(entry);
    if (is_axis_source(entry.value)) return take(read_axis_source(entry.key, entry.value, around_), entry);
    if (list == nullptr)
      return refuse(entry.value.where,
                    fmt::format("axis '{}' takes a list of values, not {}", entry.key, describe(entry.value)),
                    entry.value.is_map() || entry.value.is_null()
                        ? ""
                        : fmt::format("{}: [{}]", entry.key, entry.value.text));
    if (list->empty())
      return refuse(entry.value.where, fmt::format("axis '{}' has no values", entry.key), "");
    SourcedAxes one;
    one.axes.push_back(axis_of_list(entry.key, *list));
    take(std::move(one), entry);
  }

  /// `matrix: {zip: {x: [...], y: [...]}}`: a group that needs no name.
  void zip(const Value::Entry& entry) {
    Value source{Value::Map{entry}, entry.value.where, ""};
    take(read_axis_source(entry.key, source, around_), entry);
  }

  void take(SourcedAxes group, const Value::Entry& entry) {
    if (!group.good()) broken_ = true;
    for (Matrix::Axis& axis : group.axes) {
      if (!has_own_variable(axis.name, entry.key_where)) return;
      if (std::any_of(matrix_.axes.begin(), matrix_.axes.end(),
                      [&](const auto& known) { return known.name == axis.name; }))
        return refuse(entry.key_where, fmt::format("the axis '{}' is given twice", axis.name),
                      "one of the two needs another name");
      matrix_.axes.push_back(std::move(axis));
    }
    std::move(group.later.begin(), group.later.end(), std::back_inserter(matrix_.later));
    std::move(group.sources.begin(), group.sources.end(), std::back_inserter(matrix_.sources));
  }

  void combinations(const Value& value, const std::string& key, std::vector<Json>& into) {
    const auto* list = std::get_if<Value::List>(&value.data);
    if (list == nullptr)
      return refuse(value.where, fmt::format("'{}' takes a list of combinations", key), "");
    if (key == "exclude" && !can_exclude(value.where, list->size())) return;
    for (const Value& item : *list) combination(item, key, into);
    if (marked_ > limits::exclusions) refuse_exclusions(value.where);
  }

  void combination(const Value& item, const std::string& key, std::vector<Json>& into) {
    const auto* map = std::get_if<Value::Map>(&item.data);
    if (map == nullptr)
      return refuse(item.where, fmt::format("an item of '{}' takes a map from axes to values", key), "");
    const auto names = axis_names(key, into);
    bool good = true;
    for (const auto& entry : *map) {
      if (key == "include" && !has_own_variable(entry.key, entry.key_where)) good = false;
      if (names.empty() || std::find(names.begin(), names.end(), entry.key) != names.end()) continue;
      good = false;
      refuse(entry.key_where, fmt::format("the matrix has no axis '{}'", entry.key),
             did_you_mean(entry.key, names));
    }
    if (!good || broken_) return;
    for (const std::string& name : names)
      if (key == "include" && item.find(name) == nullptr)
        return refuse(item.where, fmt::format("this combination does not say what '{}' is", name),
                      "an item of 'include' is an instance of its own, and gives every axis a value");
    into.push_back(to_json(item));
    if (key == "include") matrix_.include_texts.push_back(own_spellings(*map));
    if (matrix_.undecided()) return;  // of what is not known, nothing can be told
    const std::uint64_t left_out = key == "exclude" ? combinations_of(into.back()) : 1;
    if (key == "exclude") marked_ += left_out;
    if (left_out == 0)
      diagnostics_.warning(item.where, "this excludes nothing: the matrix has no such combination");
  }

  /// The axes; of a matrix that is made by `include` alone, those of its first item.
  [[nodiscard]] std::vector<std::string> axis_names(const std::string& key,
                                                    const std::vector<Json>& included) const {
    std::vector<std::string> names;
    for (const auto& axis : matrix_.axes) names.push_back(axis.name);
    if (names.empty() && key == "include" && !included.empty())
      for (const auto& [name, value] : included.front().items()) names.push_back(name);
    return names;
  }

  /// The places of a group's values that agree with the rule.
  [[nodiscard]] std::vector<std::uint32_t> agreeing(const Json& rule, const AxisGroup& group) const {
    std::vector<std::uint32_t> places(group.size);
    std::iota(places.begin(), places.end(), 0U);
    for (std::size_t a = group.first; a < group.end; ++a)
      if (const auto wanted = rule.find(matrix_.axes[a].name); wanted != rule.end())
        std::erase_if(places, [&](std::uint32_t place) { return matrix_.axes[a].values[place] != *wanted; });
    return places;
  }

  /// How many combinations of the axes agree with it, up to more than there may be.
  [[nodiscard]] std::uint64_t combinations_of(const Json& rule) const {
    std::uint64_t count = 1;
    for (const AxisGroup& group : groups_)
      count = std::min<std::uint64_t>(count * agreeing(rule, group).size(), limits::instances + 1);
    return count;
  }

  /// Each item is compared with each value of the axes that it names.
  bool can_exclude(const Where& where, std::size_t items) {
    std::uint64_t all = 0;
    for (const Matrix::Axis& axis : matrix_.axes) all += axis.values.size();
    if (all * items <= limits::exclusions) return true;
    refuse_exclusions(where);
    return false;
  }

  void refuse_exclusions(const Where& where) {
    refuse(where,
           fmt::format("this 'exclude' takes more than {} million steps", limits::exclusions / 1'000'000),
           "give the matrix fewer values, or list what is left under 'include'");
  }

  void check_size(const Value& value) {
    const Where& where = value.where;
    std::uint64_t count = 1;
    for (const AxisGroup& group : groups_) {
      count *= group.size;
      if (count > limits::instances)
        return refuse(where, fmt::format("this matrix has more than {} instances", limits::instances), "");
    }
    if (!broken_ && matrix_.empty()) refuse(where, "this matrix has no instances", "give it an axis");
    if (!broken_ && excludes_all(count))
      refuse(value.find("exclude")->where, "'exclude' leaves no instance of this matrix",
             "let it exclude less, list instances under 'include', or remove the stage");
  }

  /// Whether nothing is left of the `count` combinations of the axes.
  [[nodiscard]] bool excludes_all(std::uint64_t count) const {
    if (!matrix_.include.empty() || matrix_.undecided() || marked_ < count) return false;
    std::vector<bool> excluded(count);
    for (const Json& rule : matrix_.exclude)
      for (const std::uint32_t place : places_of(rule)) excluded[place] = true;
    return std::all_of(excluded.begin(), excluded.end(), [](bool one) { return one; });
  }

  /// The combinations of the axes that agree with it, in the mixed radix of their values.
  [[nodiscard]] std::vector<std::uint32_t> places_of(const Json& rule) const {
    std::vector<std::uint32_t> places{0};
    for (const AxisGroup& group : groups_) {
      std::vector<std::uint32_t> longer;
      for (const std::uint32_t value : agreeing(rule, group))
        for (const std::uint32_t place : places)
          longer.push_back(place * static_cast<std::uint32_t>(group.size) + value);
      places = std::move(longer);
    }
    return places;
  }

  void refuse(const Where& where, std::string message, std::string help) {
    broken_ = true;
    diagnostics_.error(where, std::move(message), std::move(help));
  }

  const AxisSurroundings& around_;
  Diagnostics& diagnostics_;
  Matrix matrix_;
  std::vector<AxisGroup> groups_;
  std::map<std::string, std::string> variables_;  ///< to the axis that has it
  std::uint64_t marked_ = 0;                      ///< combinations that `exclude` speaks of
  bool broken_ = false;
};

}  // namespace

Matrix read_matrix(const Value& value, const AxisSurroundings& around, bool& broken) {
  MatrixReader reader(around);
  Matrix matrix = reader.read(value);
  broken = reader.broken();
  return matrix;
}

bool same_instances(const Matrix& a, const Matrix& b) {
  return a.axes == b.axes && a.exclude == b.exclude && a.include == b.include &&
         a.include_texts == b.include_texts && a.later == b.later;
}

std::uint64_t most_instances_of(const Matrix& matrix) {
  if (matrix.undecided()) return 2;  // several, as far as anybody knows
  std::uint64_t count = matrix.axes.empty() ? 0 : 1;
  for (const AxisGroup& group : axis_groups(matrix))
    count = std::min<std::uint64_t>(count * group.size, limits::instances + 1);
  return std::max<std::uint64_t>(count + matrix.include.size(), 1);
}

bool has_several_instances(const Matrix& matrix) {
  return most_instances_of(matrix) > 1;
}

}  // namespace kernmill
