#include "kernmill/tasks/data/samples.hpp"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "kernmill/tasks/data/series.hpp"
#include "kernmill/tasks/data/target.hpp"
#include "kernmill/tasks/support/spec.hpp"

namespace kernmill::tasks {
namespace {

using Names = std::vector<std::string>;

Names names_in(const Json& config, const char* key) {
  return setting_as<Names>(config, key);
}

/// The feature columns: those that are named, else all but the target and the dropped.
Names feature_names(const CsvHeader& header, const Json& config, const Names& chosen,
                    const std::string& target) {
  const Names drop = names_in(config, "drop");
  for (const auto& name : drop) column_index(header, name, "to drop");
  for (const auto& name : chosen) {
    column_index(header, name, "a feature");
    if (name == target)
      throw TaskError(fmt::format("'{}' is both the target and a feature", name), {},
                      "leave it out of `features`");
  }
  const Names& from = chosen.empty() ? header.names : chosen;
  Names features;
  std::copy_if(from.begin(), from.end(), std::back_inserter(features), [&](const auto& name) {
    return name != target && std::find(drop.begin(), drop.end(), name) == drop.end();
  });
  if (features.empty())
    throw TaskError(fmt::format("no column of {} is left to be a feature", header.file.string()),
                    at(header.file, {}),
                    header.names.size() == 1 ? "is the delimiter right? The header is one column to it"
                                             : "drop fewer columns");
  return features;
}

Selection select_numbers(const CsvHeader& header, const Names& names) {
  Selection selection;
  for (const auto& name : names) selection.numbers.push_back(column_index(header, name, "a feature"));
  return selection;
}

/// The last wanted number of each row is the target's: takes it out of the table.
std::vector<double> take_last_column(TableShare& table, std::uint64_t columns) {
  std::vector<double> last;
  std::vector<double> rest;
  for (std::uint64_t row = 0; row < table.rows(); ++row) {
    const auto begin = table.numbers.begin() + static_cast<std::ptrdiff_t>(row * columns);
    rest.insert(rest.end(), begin, begin + static_cast<std::ptrdiff_t>(columns) - 1);
    last.push_back(*(begin + static_cast<std::ptrdiff_t>(columns) - 1));
  }
  table.numbers = std::move(rest);
  return last;
}

struct Supervised {
  TableShare table;
  Target target;
};

Supervised read_with_number(const Communicator& comm, const CsvHeader& header, Selection selection,
                            std::size_t target) {
  selection.numbers.push_back(target);
  Supervised read{read_table(comm, header, selection, OnBadRow::error), {}};
  read.target.kind = storage::TargetKind::numbers;
  read.target.values = take_last_column(read.table, selection.numbers.size());
  return read;
}

Supervised read_with_target(const Communicator& comm, const CsvHeader& header, const Selection& selection,
                            const Json& target) {
  const std::size_t column = column_index(header, setting_as<std::string>(target, "column"), "the target");
  const auto type = setting_as<std::string>(target, "type");
  if (type == "number") return read_with_number(comm, header, selection, column);
  Selection with_text = selection;
  with_text.text = column;
  Supervised read{read_table(comm, header, with_text, OnBadRow::error), {}};
  read.target = make_target(comm, read.table.texts, type);
  // Numbers with something else among them: read as numbers, the first that is none is an error with its
  // place.
  if (read.target.mixed) return read_with_number(comm, header, selection, column);
  return read;
}

void require_two_classes(const CsvHeader& header, const storage::Schema& schema) {
  if (schema.target_kind != storage::TargetKind::classes || schema.classes.size() > 1) return;
  throw TaskError(fmt::format("the target '{}' of {} has one class only ('{}')", schema.target,
                              header.file.string(), schema.classes.at(0)),
                  at(header.file, {}),
                  "a classifier needs at least two: is it the right column, or is the file cut short?");
}

Samples rows_as_samples(const Communicator& comm, const CsvHeader& header, const Json& config,
                        storage::Schema& schema) {
  const Json& target = setting(config, "target");
  if (!target.is_null()) {
    schema.target = setting_as<std::string>(target, "column");
    column_index(header, schema.target, "the target");
  }
  schema.features = feature_names(header, config, names_in(config, "features"), schema.target);
  const Selection selection = select_numbers(header, schema.features);
  Supervised read;
  if (target.is_null())
    read.table = read_table(comm, header, selection, OnBadRow::error);
  else
    read = read_with_target(comm, header, selection, target);
  schema.target_kind = read.target.kind;
  schema.classes = read.target.classes;
  if (schema.target_kind == storage::TargetKind::numbers) schema.target_names = {schema.target};
  require_two_classes(header, schema);

  Samples samples;
  samples.total = read.table.total_rows;
  samples.feature_count = schema.features.size();
  samples.target_count = target.is_null() ? 0 : 1;
  samples.row_numbers = std::move(read.table.row_numbers);
  samples.features = std::move(read.table.numbers);
  samples.target = std::move(read.target.values);
  samples.first = comm.exscan(samples.count());
  return samples;
}

Samples windows_as_samples(const Communicator& comm, const CsvHeader& header, const Json& config,
                           storage::Schema& schema) {
  const Json& series = setting(config, "series");
  if (!setting(config, "target").is_null())
    throw TaskError("a series has its own columns as the target", {}, "leave out `target`, or `series`");
  Names columns = names_in(series, "columns");
  if (columns.empty()) columns = names_in(config, "features");
  schema.series.columns = feature_names(header, config, columns, {});
  schema.series.transform = setting_as<std::string>(series, "transform");
  schema.series.window = setting_as<std::uint32_t>(series, "window");
  schema.series.horizon = setting_as<std::uint32_t>(series, "horizon");
  schema.target_kind = storage::TargetKind::numbers;
  schema.target_names = schema.series.columns;
  schema.features = window_feature_names(schema.series);
  Selection selection = select_numbers(header, schema.series.columns);
  selection.positive = schema.series.transform == "log_return";
  return make_windows(comm, schema.series, read_table(comm, header, selection, OnBadRow::error));
}

}  // namespace

Samples read_samples(const Communicator& comm, const CsvHeader& header, const Json& config,
                     storage::Schema& schema) {
  const bool series = !setting(config, "series").is_null();
  return series ? windows_as_samples(comm, header, config, schema)
                : rows_as_samples(comm, header, config, schema);
}

}  // namespace kernmill::tasks
