#include "kernmill/storage/dataset/schema_file.hpp"

#include <algorithm>
#include <array>
#include <limits>

#include <fmt/format.h>

#include "kernmill/storage/file/checked_size.hpp"

namespace kernmill::storage {
namespace {

using hdf5::Type;
using Texts = std::vector<std::string>;

struct Word {
  const char* text;
  int value;
};
constexpr std::array target_kinds{Word{"none", static_cast<int>(TargetKind::none)},
                                  Word{"classes", static_cast<int>(TargetKind::classes)},
                                  Word{"numbers", static_cast<int>(TargetKind::numbers)}};
constexpr std::array column_types{Word{"number", static_cast<int>(ColumnType::number)},
                                  Word{"category", static_cast<int>(ColumnType::category)}};

template <class Enum, std::size_t n>
std::string to_text(const std::array<Word, n>& words, Enum value) {
  return std::find_if(words.begin(), words.end(),
                      [&](const Word& w) { return w.value == static_cast<int>(value); })
      ->text;
}

template <class Enum, std::size_t n>
Enum from_text(const std::array<Word, n>& words, const std::string& text, const char* what,
               const hdf5::File& file) {
  for (const Word& word : words)
    if (text == word.text) return static_cast<Enum>(word.value);
  throw Error(fmt::format("{}: the {} '{}' is unknown", file.path().string(), what, text));
}

[[noreturn]] void damaged(const hdf5::File& file) {
  throw Error(fmt::format("{}: the schema is damaged", file.path().string()));
}

void write_inputs(const hdf5::File& file, const std::vector<InputColumn>& inputs) {
  Texts names, types, categories;
  std::vector<std::uint64_t> counts, missing;
  std::vector<double> lowest, highest;
  for (const InputColumn& input : inputs) {
    names.push_back(input.name);
    types.push_back(to_text(column_types, input.type));
    counts.push_back(input.categories.size());
    categories.insert(categories.end(), input.categories.begin(), input.categories.end());
    missing.push_back(input.missing);
    lowest.push_back(input.lowest);
    highest.push_back(input.highest);
  }
  file.create_group("schema/inputs");
  file.write_texts("schema/inputs/names", names);
  file.write_texts("schema/inputs/types", types);
  file.write_texts("schema/inputs/categories", categories);
  file.write_all<std::uint64_t>("schema/inputs/category_counts", Type::u64, counts);
  file.write_all<std::uint64_t>("schema/inputs/missing", Type::u64, missing);
  file.write_all<double>("schema/inputs/lowest", Type::f64, lowest);
  file.write_all<double>("schema/inputs/highest", Type::f64, highest);
}

std::vector<InputColumn> read_inputs(const hdf5::File& file) {
  const auto names = file.read_texts("schema/inputs/names"), types = file.read_texts("schema/inputs/types"),
             categories = file.read_texts("schema/inputs/categories");
  const auto counts = file.read_all<std::uint64_t>("schema/inputs/category_counts", Type::u64),
             missing = file.read_all<std::uint64_t>("schema/inputs/missing", Type::u64);
  const auto lowest = file.read_all<double>("schema/inputs/lowest", Type::f64),
             highest = file.read_all<double>("schema/inputs/highest", Type::f64);
  const std::size_t n = names.size();
  if (types.size() != n || counts.size() != n || missing.size() != n || lowest.size() != n ||
      highest.size() != n)
    damaged(file);
  std::vector<InputColumn> inputs;
  std::size_t next = 0;
  for (std::size_t i = 0; i < n; ++i) {
    if (counts[i] > categories.size() - next) damaged(file);
    const auto begin = categories.begin() + static_cast<std::ptrdiff_t>(next);
    inputs.push_back({names[i], from_text<ColumnType>(column_types, types[i], "column type", file),
                      Texts(begin, begin + static_cast<std::ptrdiff_t>(counts[i])), lowest[i], highest[i],
                      missing[i]});
    next += counts[i];
  }
  return inputs;
}

std::string step_group(std::size_t index) {
  return fmt::format("schema/steps/{}", index);
}

void write_steps(const hdf5::File& file, const std::vector<Step>& steps) {
  Texts kinds;
  for (const Step& step : steps) kinds.push_back(step.kind);
  file.create_group("schema/steps");
  file.write_texts("schema/steps/kinds", kinds);
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const std::string group = step_group(i);
    file.create_group(group);
    file.write_texts(group + "/columns", steps[i].columns);
    file.write_all<double>(group + "/numbers", Type::f64, steps[i].numbers);
    file.write_texts(group + "/texts", steps[i].texts);
  }
}

std::vector<Step> read_steps(const hdf5::File& file) {
  std::vector<Step> steps;
  for (const std::string& kind : file.read_texts("schema/steps/kinds")) {
    const std::string group = step_group(steps.size());
    steps.push_back({kind, file.read_texts(group + "/columns"),
                     file.read_all<double>(group + "/numbers", Type::f64),
                     file.read_texts(group + "/texts")});
  }
  return steps;
}

/// What is computed of a window would go beyond its rows, or on for ever.
void require_sound(const Series& series, const Schema& schema, const hdf5::File& file) {
  if (series.transform.empty()) return;
  const std::uint64_t rows = series.lags.empty() ? series.window : series.lags.size();
  const bool lags_fit = std::all_of(series.lags.begin(), series.lags.end(),
                                    [&](std::uint32_t lag) { return lag < series.window; });
  const auto features = checked_product(rows, series.columns.size());
  if (series.window == 0 || series.horizon == 0 || series.columns.empty() || !lags_fit || !features ||
      *features > schema.features.size())
    throw Error(fmt::format(
        "{}: the schema is damaged: windows of {} rows of {} columns, {} ahead, do not make {} "
        "features",
        file.path().string(), series.window, series.columns.size(), series.horizon, schema.features.size()));
}

/// Format version 1: every input is a number, and a standardisation is all that may have been done.
void read_version_1(const hdf5::File& file, Schema& schema) {
  schema.inputs = numbers_named(schema.series.transform.empty() ? schema.features : schema.series.columns);
  const auto mean = file.read_all<double>("schema/mean", Type::f64);
  const auto scale = file.read_all<double>("schema/scale", Type::f64);
  if (mean.size() != scale.size() || (!mean.empty() && mean.size() != schema.features.size())) damaged(file);
  if (mean.empty()) return;
  Step step{"scale", schema.features, mean, {}};
  step.numbers.insert(step.numbers.end(), scale.begin(), scale.end());
  schema.steps.push_back(std::move(step));
}

}  // namespace

std::vector<InputColumn> numbers_named(const std::vector<std::string>& names) {
  std::vector<InputColumn> inputs(names.size());
  for (std::size_t i = 0; i < names.size(); ++i) inputs[i].name = names[i];
  return inputs;
}

void write_schema(const hdf5::File& file, const Schema& schema) {
  file.create_group("schema");
  file.write_text("schema/source", schema.source);
  file.write_text("schema/target", schema.target);
  file.write_text("schema/target_kind", to_text(target_kinds, schema.target_kind));
  file.write_texts("schema/features", schema.features);
  file.write_texts("schema/classes", schema.classes);
  file.write_texts("schema/target_names", schema.target_names);
  file.write_text("schema/series_transform", schema.series.transform);
  const std::array<std::uint64_t, 2> shape{schema.series.window, schema.series.horizon};
  file.write_all<std::uint64_t>("schema/series_window_horizon", Type::u64, shape);
  file.write_texts("schema/series_columns", schema.series.columns);
  file.write_all<std::uint32_t>("schema/series_lags", Type::u32, schema.series.lags);
  file.write_text("schema/split", schema.split);
  if (!schema.left_out.empty()) file.write_texts("schema/left_out", schema.left_out);
  if (!schema.weight.empty()) file.write_text("schema/weight", schema.weight);
  write_inputs(file, schema.inputs);
  write_steps(file, schema.steps);
}

Schema read_schema(const hdf5::File& file) {
  Schema schema;
  schema.source = file.read_text("schema/source");
  schema.target = file.read_text("schema/target");
  schema.target_kind =
      from_text<TargetKind>(target_kinds, file.read_text("schema/target_kind"), "target kind", file);
  schema.features = file.read_texts("schema/features");
  schema.classes = file.read_texts("schema/classes");
  schema.target_names = file.read_texts("schema/target_names");
  schema.series.transform = file.read_text("schema/series_transform");
  const auto shape = file.read_all<std::uint64_t>("schema/series_window_horizon", Type::u64);
  constexpr std::uint64_t most = std::numeric_limits<std::uint32_t>::max();
  if (shape.size() != 2 || shape[0] > most || shape[1] > most) damaged(file);
  schema.series.window = static_cast<std::uint32_t>(shape[0]);
  schema.series.horizon = static_cast<std::uint32_t>(shape[1]);
  schema.series.columns = file.read_texts("schema/series_columns");
  if (!file.has("schema/steps")) {
    require_sound(schema.series, schema, file);
    read_version_1(file, schema);
    return schema;
  }
  schema.series.lags = file.read_all<std::uint32_t>("schema/series_lags", Type::u32);
  require_sound(schema.series, schema, file);
  schema.split = file.read_text("schema/split");
  if (file.has("schema/left_out")) schema.left_out = file.read_texts("schema/left_out");
  if (file.has("schema/weight")) schema.weight = file.read_text("schema/weight");
  schema.inputs = read_inputs(file);
  schema.steps = read_steps(file);
  return schema;
}

}  // namespace kernmill::storage
