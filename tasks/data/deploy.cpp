#include "kernmill/tasks/data/deploy.hpp"

#include <algorithm>
#include <cstdio>

#include <fmt/format.h>

#include "kernmill/tasks/data/ordered_text.hpp"
#include "kernmill/tasks/data/series.hpp"
#include "kernmill/tasks/data/standardise.hpp"
#include "kernmill/tasks/data/table.hpp"
#include "kernmill/tasks/support/stop.hpp"

namespace kernmill::tasks {
namespace {

constexpr std::uint64_t rows_per_block = 4096;

struct Options {
  OnBadRow on_bad_row = OnBadRow::error;
  bool probabilities = false;
};

Options options_of(const Spec& spec, const storage::Schema& schema, const Scorer& scorer) {
  Options options;
  const auto on_bad_row = setting_as<std::string>(spec.config, "on_bad_row");
  options.on_bad_row = on_bad_row == "skip" ? OnBadRow::skip : OnBadRow::error;
  options.probabilities = setting_as<bool>(spec.config, "probabilities");
  if (options.probabilities && !scorer.gives_probabilities)
    throw TaskError("this model gives no probabilities", {},
                    "leave out `probabilities`, or train a softmax or mlp model on classes");
  const bool classes = schema.target_kind == storage::TargetKind::classes;
  const std::size_t outputs = classes ? schema.classes.size() : schema.target_names.size();
  if (outputs != scorer.outputs)
    throw TaskError(fmt::format("the model has {} outputs, its schema {}", scorer.outputs, outputs));
  return options;
}

/// The model's columns in the input, wherever they stand there.
Selection match_columns(const CsvHeader& header, const std::vector<std::string>& wanted) {
  Selection selection;
  for (const auto& name : wanted)
    selection.numbers.push_back(column_index(header, name, "the model was trained on it"));
  return selection;
}

void note_unused_columns(const CsvHeader& header, const std::vector<std::string>& wanted) {
  std::vector<std::string> unused;
  std::copy_if(header.names.begin(), header.names.end(), std::back_inserter(unused), [&](const auto& name) {
    return std::find(wanted.begin(), wanted.end(), name) == wanted.end();
  });
  if (!unused.empty())
    fmt::print(stderr, "note: columns that the model does not use: {}\n", fmt::join(unused, ", "));
}

std::string header_line(const storage::Schema& schema, bool probabilities) {
  std::string line = "row";
  if (schema.target_kind == storage::TargetKind::classes || schema.target_names.size() == 1)
    line += ",prediction";
  else
    for (const auto& name : schema.target_names) line += "," + csv_field("prediction_" + name);
  if (probabilities)
    for (const auto& name : schema.classes) line += "," + csv_field("p_" + name);
  return line + "\n";
}

void append_line(std::string& text, std::uint64_t row, std::span<const double> scores,
                 const storage::Schema& schema, bool probabilities) {
  text += fmt::format("{}", row);
  if (schema.target_kind == storage::TargetKind::classes) {
    const auto best = std::max_element(scores.begin(), scores.end()) - scores.begin();
    text += "," + csv_field(schema.classes[static_cast<std::size_t>(best)]);
  }
  if (schema.target_kind == storage::TargetKind::numbers || probabilities)
    for (const double score : scores) text += fmt::format(",{}", score);
  text += '\n';
}

std::string predict_lines(TableShare& table, const storage::Schema& schema, const Scorer& scorer,
                          bool probabilities) {
  apply_steps(schema.steps, table.numbers);
  const std::span<const double> features(table.numbers);
  const std::uint64_t d = schema.features.size();
  std::vector<double> scores;
  std::string text;
  for (std::uint64_t begin = 0; begin < table.rows(); begin += rows_per_block) {
    const std::uint64_t rows = std::min(rows_per_block, table.rows() - begin);
    scores.resize(rows * scorer.outputs);
    scorer.score(features.subspan(begin * d, rows * d), rows, scores);
    for (std::uint64_t i = 0; i < rows; ++i)
      append_line(text, table.row_numbers[begin + i],
                  std::span(scores).subspan(i * scorer.outputs, scorer.outputs), schema, probabilities);
  }
  return text;
}

/// The one sample of a series: the window that ends with the last row. Everybody has the last rows.
std::string predict_series(const Communicator& comm, const TableShare& table, const storage::Schema& schema,
                           const Scorer& scorer) {
  const storage::Series& series = schema.series;
  const std::uint64_t columns = series.columns.size();
  const std::uint64_t needed = rows_before_target(series) + 1 - series.horizon;
  if (table.total_rows < needed)
    throw TaskError(fmt::format("the input has {} rows; a window of {} needs {}", table.total_rows,
                                series.window, needed),
                    {}, "give the model more of the series");
  const std::uint64_t first_needed = table.total_rows - needed;
  const auto begin = std::lower_bound(table.row_numbers.begin(), table.row_numbers.end(), first_needed);
  const auto skipped = static_cast<std::uint64_t>(begin - table.row_numbers.begin()) * columns;
  const auto levels = comm.allgatherv(std::span(table.numbers).subspan(skipped));
  std::string text;
  comm.agree([&] {
    if (!comm.is_root()) return;
    std::vector<double> window, scores(columns);
    append_window(series, levels, window);
    apply_steps(schema.steps, window);
    scorer.score(window, 1, scores);
    const auto last = std::span(levels).last(columns);
    for (std::uint64_t c = 0; c < columns; ++c) scores[c] = restored(series.transform, last[c], scores[c]);
    append_line(text, table.total_rows - 1 + series.horizon, scores, schema, false);
  });
  return text;
}

std::string rejected_lines(const std::vector<RejectedRow>& rejected) {
  std::string text;
  for (const auto& bad : rejected)
    text += fmt::format("{},{},{},{},{},{}\n", bad.row, bad.place.line, bad.place.column,
                        csv_field(bad.column), csv_field(bad.value), csv_field(bad.reason));
  return text;
}

}  // namespace

Result deploy(const Spec& spec, const Communicator& comm, const storage::Schema& schema,
              const Scorer& scorer) {
  const Options options = options_of(spec, schema, scorer);
  const auto& input = spec.input("input");
  const bool series = !schema.series.transform.empty();
  if (series && options.on_bad_row == OnBadRow::skip)
    throw TaskError("a row of a series cannot be left out", {}, "use `on_bad_row: error`, and mend the row");
  const auto& wanted = series ? schema.series.columns : schema.features;
  const CsvHeader header = read_csv_header(comm, input, {delimiter_of("auto", input), true});
  Selection selection = match_columns(header, wanted);
  selection.positive = schema.series.transform == "log_return";
  if (comm.is_root()) note_unused_columns(header, wanted);

  TableShare table = read_table(comm, header, selection, options.on_bad_row);
  std::string lines;
  if (series)
    lines = predict_series(comm, table, schema, scorer);
  else
    comm.agree([&] { lines = predict_lines(table, schema, scorer, options.probabilities); });
  if (comm.is_root()) lines = header_line(schema, options.probabilities) + lines;
  if (agree_to_stop(comm)) throw Stopped{};

  Result result;
  const std::uint64_t rejected = comm.allreduce(std::uint64_t{table.rejected.size()}, Reduction::sum);
  const std::uint64_t rows = series ? 1 : table.total_rows - rejected;
  write_in_rank_order(comm, spec.output_directory / "predictions.csv", lines);
  result.artifacts["predictions"] = "predictions.csv";
  if (options.on_bad_row == OnBadRow::skip) {
    const std::string head = comm.is_root() ? "row,line,column,field,value,reason\n" : "";
    write_in_rank_order(comm, spec.output_directory / "rejected.csv", head + rejected_lines(table.rejected));
    result.artifacts["rejected"] = "rejected.csv";
  }
  if (comm.is_root())
    fmt::print("{}: {} predictions, {} rows rejected\n", input.filename().string(), rows, rejected);
  result.metrics = {{"rows", rows}, {"rejected", rejected}};
  return result;
}

}  // namespace kernmill::tasks
