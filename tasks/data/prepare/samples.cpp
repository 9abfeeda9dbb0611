#include "kernmill/tasks/data/prepare/samples.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <set>
#include <string_view>
#include <unordered_map>

#include <fmt/format.h>

#include "kernmill/base/table/numbers.hpp"
#include "kernmill/tasks/data/prepare/categories.hpp"
#include "kernmill/tasks/data/prepare/series.hpp"
#include "kernmill/tasks/data/prepare/target.hpp"
#include "kernmill/tasks/support/task_error.hpp"

namespace kernmill::tasks {
namespace {

using Names = std::vector<std::string>;

bool contains(const Names& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// Columns that are no features by themselves; empty: there is none.
struct BesideColumns {
  std::string target{}, weight{}, group{};
};

/// The feature columns: those that are named, else all but the target, the weight, the group and the dropped.
Names feature_names(const Input& input, const Names& drop, const Names& chosen, const BesideColumns& beside) {
  const auto& [target, weight, group] = beside;
  for (const auto& name : drop) column_index(input, name, "to drop");
  for (const auto& name : chosen) {
    column_index(input, name, "a feature");
    if (name == target)
      throw TaskError(fmt::format("'{}' is both the target and a feature", name), {},
                      "leave it out of `features`");
    if (name == weight)
      throw TaskError(fmt::format("'{}' is both the rows' weight and a feature", name), {},
                      "leave it out of `features`");
  }
  const Names& from = chosen.empty() ? input.names() : chosen;
  Names features;
  for (const auto& name : from)
    if (name != target && name != weight && !contains(drop, name) && (!chosen.empty() || name != group))
      features.push_back(name);
  if (features.empty())
    throw TaskError(fmt::format("no column of {} is left to be a feature", input.name()),
                    input.name() + ":1:1",
                    input.names().size() == 1 ? "is the delimiter right? The header is one column to it"
                                              : "drop fewer columns");
  return features;
}

/// Whether a column's first values say that it holds text, or fractions.
struct Look {
  bool numbers = false, fractions = false, texts = false;
  bool commas = false;  ///< every text is a number but for its decimal comma
};

Look look_at(const std::vector<Names>& rows, std::size_t column, const Names& missing) {
  Look look;
  for (const Names& row : rows) {
    double number = 0;
    if (means_missing(row[column], missing)) continue;
    if (!parse_number(row[column], number).empty()) {
      look.commas = has_decimal_comma(row[column]) && (look.commas || !look.texts);
      look.texts = true;
    } else
      (number == std::floor(number) ? look.numbers : look.fractions) = true;
  }
  return look;
}

constexpr std::size_t rows_to_look_at = 1000;

/// What is read of the input, and which of its columns is what.
struct Reading {
  Selection selection;
  std::optional<std::size_t> target, group;  ///< indices of wanted columns
};

Reading start_reading(const Input& input, const PreprocessSettings& settings,
                      const std::vector<ColumnPlan>& plans) {
  Reading reading;
  reading.selection.missing = settings.missing;
  reading.selection.on_bad_row = settings.on_bad_row;
  std::unordered_map<std::string_view, std::size_t> places;
  for (std::size_t i = 0; i < input.names().size(); ++i) places.emplace(input.names()[i], i);
  for (const ColumnPlan& plan : plans) {
    Wanted wanted{places.at(plan.name)};
    wanted.text = plan.type == storage::ColumnType::category;
    wanted.may_be_missing = plan.impute.with != Impute::none;
    const storage::Element type = input.type(wanted.column);
    if (!wanted.may_be_missing || type == storage::Element::f32) wanted.type = type;
    reading.selection.columns.push_back(wanted);
  }
  return reading;
}

Names names_besides(const Input& input, const std::vector<ColumnPlan>& plans, const std::string& target) {
  std::set<std::string> used{target};
  for (const ColumnPlan& plan : plans) used.insert(plan.name);
  Names names;
  std::copy_if(input.names().begin(), input.names().end(), std::back_inserter(names),
               [&](const auto& name) { return !used.contains(name); });
  return names;
}

void want_group(const Input& input, const std::string& group, Reading& reading) {
  if (group.empty()) return;
  Wanted wanted{column_index(input, group, "the group")};
  wanted.text = true;
  reading.group = reading.selection.columns.size();
  reading.selection.columns.push_back(wanted);
}

void want_weight(const Input& input, const std::string& weight, Reading& reading) {
  if (weight.empty()) return;
  Wanted wanted{column_index(input, weight, "the rows' weight")};
  wanted.not_negative = true;
  reading.selection.columns.push_back(wanted);
}

/// On one rank, where there is something to say.
void say(const Communicator& comm, const char* how, const std::string& what) {
  if (comm.is_root() && !what.empty()) fmt::print(stderr, "{}: {}\n", how, what);
}

void doubt_commas(const Communicator& comm, const std::string& column, const Look& look) {
  if (look.texts && look.commas)
    say(comm, "warning",
        fmt::format(
            "the values of '{}' look like numbers with a decimal comma, and each is taken for a name: "
            "decimal: \",\" reads them as numbers",
            column));
}

/// The input, and what its target is.
struct Supervised {
  RawTable table;
  Target target;
};

Supervised read_supervised(const Communicator& comm, const Input& input,
                           const std::optional<TargetSettings>& target, Reading& reading,
                           const Buffer& buffer) {
  if (!target) return {input.read(comm, reading.selection, buffer), {}};
  const TargetType type = target->type;
  Wanted wanted{column_index(input, target->column, "the target")};
  const Look look = type == TargetType::automatic
                        ? look_at(input.first_rows(comm, rows_to_look_at), wanted.column, {})
                        : Look{};
  wanted.text = type != TargetType::number && !(look.fractions && !look.texts);
  wanted.maybe_number = type == TargetType::automatic;
  if (wanted.text) doubt_commas(comm, target->column, look);
  const std::size_t place = *reading.target;
  reading.selection.columns.insert(reading.selection.columns.begin() + static_cast<std::ptrdiff_t>(place),
                                   wanted);
  if (reading.group) ++*reading.group;
  Supervised read{input.read(comm, reading.selection, buffer), {}};
  read.target.kind = storage::TargetKind::numbers;
  if (!wanted.text) return read;
  read.target = make_target(comm, read.table.dictionaries[place], target->column, type);
  if (!read.target.mixed) return read;
  // Numbers with something else among them: read as numbers, which tells where the first is that is none.
  reading.selection.columns[place].text = false;
  read = {input.read(comm, reading.selection, buffer), {}};
  read.target.kind = storage::TargetKind::numbers;
  return read;
}

void require_two_classes(const Input& input, const storage::Schema& schema) {
  if (schema.target_kind != storage::TargetKind::classes || schema.classes.size() > 1) return;
  throw TaskError(fmt::format("the target '{}' of {} has one class only ('{}')", schema.target, input.name(),
                              schema.classes.at(0)),
                  input.name() + ":1:1",
                  "a classifier needs at least two: is it the right column, or is the file cut short?");
}

/// A count or a measure that is whole by chance is predicted better as a number.
std::string doubt_about(const Input& input, const storage::Schema& schema, std::uint64_t rows) {
  constexpr std::size_t few_classes = 20, many_classes = 100;
  constexpr std::uint64_t enough_rows = 10;
  const std::size_t classes = schema.classes.size();
  const bool whole = std::all_of(schema.classes.begin(), schema.classes.end(), is_integer);
  if (!whole || classes <= few_classes || (classes <= many_classes && rows >= enough_rows * classes))
    return "";
  return fmt::format(
      "the target '{0}' of {1} has {2} different whole numbers in {3} rows, and each is taken for a class. "
      "Are "
      "they amounts? target: {{column: {0}, type: number}}; if not, type: class says so",
      schema.target, input.name(), classes, rows);
}

void describe_target(const Input& input, const Target& target, storage::Schema& schema) {
  schema.target_kind = target.kind;
  schema.classes = target.classes;
  if (schema.target_kind == storage::TargetKind::numbers) schema.target_names = {schema.target};
  require_two_classes(input, schema);
}

void name_target(const Input& input, const PreprocessSettings& settings, storage::Schema& schema) {
  if (!settings.target) return;
  schema.target = settings.target->column;
  column_index(input, schema.target, "the target");
}

/// Of the columns that `plans` are about.
Samples planned_samples(const Communicator& comm, const Input& input, const PreprocessSettings& settings,
                        const Buffer& buffer, storage::Schema& schema, const std::vector<ColumnPlan>& plans) {
  const std::string& group = settings.split.group;
  schema.left_out = names_besides(input, plans, schema.target);
  Reading reading = start_reading(input, settings, plans);
  if (settings.target) reading.target = plans.size();
  want_group(input, group, reading);
  want_weight(input, settings.weight, reading);
  Supervised read = read_supervised(comm, input, settings.target, reading, buffer);
  describe_target(input, read.target, schema);
  say(comm, "note", read.target.respelled);
  if (settings.target && settings.target->type == TargetType::automatic)
    say(comm, "warning", doubt_about(input, schema, read.table.total_rows));

  Samples samples;
  samples.layout = {plans.size(), settings.target ? 1U : 0U, false, reading.group.has_value(),
                    !settings.weight.empty()};
  samples.categories.resize(plans.size());
  std::vector<std::vector<double>> values(reading.selection.columns.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!reading.selection.columns[i].text) continue;
    const Dictionary& dictionary = read.table.dictionaries[i];
    if (i == reading.target) {
      values[i] = read.target.values;
      continue;
    }
    Categories categories = distinct_categories(comm, dictionary);
    values[i] = places_in(categories, dictionary);
    say(comm, "note", note_of_spellings(categories, input.names()[reading.selection.columns[i].column]));
    if (i == reading.group) samples.groups = categories.texts.size();
    if (i < plans.size()) samples.categories[i] = std::move(categories.texts);
  }
  samples.rows = std::move(read.table.rows);
  samples.rejected = std::move(read.table.rejected);
  samples.imputed = read.table.imputed;
  samples.read_rows = read.table.total_rows;
  samples.first = comm.exscan(samples.count());
  samples.total = comm.allreduce(samples.count(), Reduction::sum);
  const auto before = static_cast<double>(read.table.first_row);
  const bool same =
      before == 0 && std::all_of(values.begin(), values.end(), [](const auto& v) { return v.empty(); });
  comm.agree([&] {
    if (same) return;
    samples.rows.update([&](std::uint64_t, std::span<double> block) {
      recode(block, samples.layout.width(), values);
      for (std::uint64_t i = samples.layout.number(); i < block.size(); i += samples.layout.width())
        block[i] += before;
    });
  });
  return samples;
}

Samples rows_as_samples(const Communicator& comm, const Input& input, const PreprocessSettings& settings,
                        const Buffer& buffer, storage::Schema& schema, std::vector<ColumnPlan>& plans) {
  name_target(input, settings, schema);
  if (!settings.weight.empty() && settings.weight == schema.target)
    throw TaskError(fmt::format("'{}' is both the target and the rows' weight", settings.weight), {},
                    "name another column in `sample_weight`");
  schema.weight = settings.weight;
  plans = plan_columns(comm, input, settings,
                       feature_names(input, settings.drop, settings.features,
                                     {schema.target, settings.weight, settings.split.group}));
  return planned_samples(comm, input, settings, buffer, schema, plans);
}

Samples windows_as_samples(const Communicator& comm, const Input& input, const PreprocessSettings& settings,
                           const Buffer& buffer, storage::Schema& schema) {
  const SeriesSettings& series = *settings.series;
  if (settings.target)
    throw TaskError("a series has its own columns as the target", {}, "leave out `target`, or `series`");
  if (!settings.weight.empty())
    throw TaskError("a window of a series is of many rows, whose weights would be one", {},
                    "leave out `sample_weight`, or `series`");
  const Names& columns = series.columns.empty() ? settings.features : series.columns;
  schema.series = {word_of(series.transform), series.window, series.horizon,
                   feature_names(input, settings.drop, columns, {}), series.lags};
  for (const std::uint32_t lag : schema.series.lags)
    schema.series.window = std::max(schema.series.window, lag + 1);
  schema.target_kind = storage::TargetKind::numbers;
  schema.target_names = schema.series.columns;
  schema.inputs = storage::numbers_named(schema.series.columns);
  Selection selection;
  selection.on_bad_row = settings.on_bad_row;
  if (selection.on_bad_row != OnBadRow::error)
    throw TaskError("a row of a series cannot be left out", {}, "use `on_bad_row: error`, and mend the row");
  for (const auto& name : schema.series.columns) {
    Wanted wanted{column_index(input, name, "a feature")};
    wanted.positive = series.transform == SeriesTransform::log_return;
    selection.columns.push_back(wanted);
  }
  return make_windows(comm, schema.series, input.read(comm, selection, buffer), buffer);
}

}  // namespace

std::vector<ColumnPlan> plan_columns(const Communicator& comm, const Input& input,
                                     const PreprocessSettings& settings, const Names& features) {
  for (const auto& [name, ignored] : settings.columns) column_index(input, name, "in `columns`");
  const bool encodes = settings.encode.as != Encode::none;
  const auto rows = encodes ? input.first_rows(comm, rows_to_look_at) : std::vector<Names>{};
  const ColumnSettings as_all;
  std::vector<ColumnPlan> plans;
  for (const auto& name : features) {
    const ColumnSettings* const found = settings.column(name);
    const ColumnSettings& own = found == nullptr ? as_all : *found;
    ColumnPlan plan{name,
                    own.rename,
                    {},
                    own.impute.value_or(settings.impute),
                    own.encode.value_or(settings.encode),
                    own.scale.value_or(settings.scale)};
    const Look look =
        encodes ? look_at(rows, column_index(input, name, "a feature"), settings.missing) : Look{};
    doubt_commas(comm, name, look);
    const bool looks_like_one = own.encode.has_value() || (look.texts && !look.numbers && !look.fractions);
    const bool category =
        own.type == ColumnValues::category ||
        (own.type == ColumnValues::automatic && plan.encode.as != Encode::none && looks_like_one);
    if (category && plan.encode.as == Encode::none)
      throw TaskError(fmt::format("column '{}' is a category, and not encoded", name), {},
                      "add `encode: one_hot`, or drop the column");
    plan.type = category ? storage::ColumnType::category : storage::ColumnType::number;
    if (!category) plan.encode.as = Encode::none;
    if (category && !own.scale) plan.scale = Scale::none;
    if (category && (plan.impute.with == Impute::mean || plan.impute.with == Impute::median))
      plan.impute.with = Impute::most_frequent;
    plans.push_back(std::move(plan));
  }
  return plans;
}

Samples read_samples(const Communicator& comm, const Input& input, const PreprocessSettings& settings,
                     const Buffer& buffer, storage::Schema& schema, std::vector<ColumnPlan>& plans) {
  return settings.series ? windows_as_samples(comm, input, settings, buffer, schema)
                         : rows_as_samples(comm, input, settings, buffer, schema, plans);
}

Samples read_targets(const Communicator& comm, const Input& input, const PreprocessSettings& settings,
                     const Buffer& buffer, storage::Schema& schema) {
  name_target(input, settings, schema);
  return planned_samples(comm, input, settings, buffer, schema, {});
}

}  // namespace kernmill::tasks
