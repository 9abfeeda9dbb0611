#include "kernmill/tasks/kinds/deploy.hpp"

#include <algorithm>
#include <cstdio>

#include <fmt/format.h>

#include "kernmill/tasks/comm/stop.hpp"
#include "kernmill/tasks/data/prepare/series.hpp"
#include "kernmill/tasks/data/prepare/transform.hpp"
#include "kernmill/tasks/data/read/input.hpp"
#include "kernmill/tasks/data/read/rejected.hpp"
#include "kernmill/tasks/data/store/ordered_text.hpp"
#include "kernmill/tasks/kinds/model_columns.hpp"
#include "kernmill/tasks/kinds/prediction_lines.hpp"
#include "kernmill/tasks/kinds/sparse_columns.hpp"

namespace kernmill::tasks {
namespace {

constexpr std::uint64_t rows_per_block = 4096;

struct Options {
  OnBadRow on_bad_row = OnBadRow::error;
  bool probabilities = false;
};

Options options_of(const Spec& spec, const storage::Schema& schema, const Predictor& predictor) {
  Options options;
  options.on_bad_row = on_bad_row_of(setting_as<std::string>(spec.config, "on_bad_row"));
  options.probabilities = setting_as<bool>(spec.config, "probabilities");
  if (options.probabilities && !predictor.gives_probabilities())
    throw TaskError("this model gives no probabilities", {},
                    "leave out `probabilities`, or train a softmax or mlp model on classes");
  const bool classes = schema.target_kind == storage::TargetKind::classes;
  const std::size_t columns = predictor.columns().size();
  const std::size_t outputs = columns > 0 ? columns
                              : classes   ? schema.classes.size()
                                          : schema.target_names.size();
  if (outputs != predictor.outputs())
    throw TaskError(fmt::format("the model has {} outputs, its schema {}", predictor.outputs(), outputs));
  return options;
}

void predict_rows(const RawTable& table, const storage::Schema& schema, const Predictor& predictor,
                  const PredictionLines& lines_of, OrderedText& text) {
  const Transform transform(inputs_of(schema), schema.steps);
  if (transform.names() != schema.features)
    throw TaskError("the model's preprocessing does not make the features that it was trained on");
  const std::uint64_t stride = table.rows.width();
  std::vector<double> scores, features;
  std::string lines;
  table.rows.each_block([&](std::uint64_t, std::span<const double> block) {
    for (std::uint64_t begin = 0; begin < block.size(); begin += rows_per_block * stride) {
      const auto raw = block.subspan(begin, std::min(rows_per_block * stride, block.size() - begin));
      const std::uint64_t rows = raw.size() / stride;
      features.clear();
      transform.apply(raw, stride, features);
      scores.resize(rows * predictor.outputs());
      predictor.predict(features, rows, scores);
      lines.clear();
      for (std::uint64_t i = 0; i < rows; ++i)
        lines_of.append(lines, table.first_row + static_cast<std::uint64_t>(raw[(i + 1) * stride - 1]),
                        std::span(scores).subspan(i * predictor.outputs(), predictor.outputs()));
      text.append(lines);
    }
  });
}

/// The same of sparse rows, for a model that was trained on such.
void predict_sparse(const SvmInput::SparseTable& table, const Predictor& predictor,
                    const PredictionLines& lines_of, OrderedText& text) {
  std::vector<std::uint64_t> numbers;
  table.beside.rows.each_block([&](std::uint64_t, std::span<const double> block) {
    for (const double number : block) numbers.push_back(static_cast<std::uint64_t>(number));
  });
  std::vector<double> scores;
  std::string lines;
  each_sparse_block(table.features, [&](std::uint64_t first, const storage::SparseRows& rows) {
    scores.resize(rows.rows() * predictor.outputs());
    predictor.predict(rows, scores);
    lines.clear();
    for (std::uint64_t i = 0; i < rows.rows(); ++i)
      lines_of.append(lines, table.beside.first_row + numbers[first + i],
                      std::span(scores).subspan(i * predictor.outputs(), predictor.outputs()));
    text.append(lines);
  });
}

/// The last rows of all ranks, `needed` of them, without their numbers. Everybody has them.
std::vector<double> last_rows(const Communicator& comm, const RawTable& table, std::uint64_t needed) {
  std::vector<double> own;
  const std::uint64_t stride = table.rows.width(), first_needed = table.total_rows - needed;
  table.rows.each_block([&](std::uint64_t first, std::span<const double> rows) {
    for (std::uint64_t i = 0; i < rows.size() / stride; ++i)
      if (table.first_row + first + i >= first_needed) {
        const auto row = rows.subspan(i * stride, stride - 1);
        own.insert(own.end(), row.begin(), row.end());
      }
  });
  return comm.allgatherv(std::span<const double>(own));
}

/// The one sample of a series: the window that ends with the last row.
void predict_series(const Communicator& comm, const RawTable& table, const storage::Schema& schema,
                    const Predictor& predictor, OrderedText& text) {
  const storage::Series& series = schema.series;
  const std::uint64_t columns = series.columns.size();
  const std::uint64_t needed = rows_before_target(series) + 1 - series.horizon;
  if (schema.inputs.size() != columns || predictor.outputs() != columns)
    throw TaskError(fmt::format("the model's series has {} columns, its schema {} inputs and {} targets",
                                columns, schema.inputs.size(), predictor.outputs()),
                    {}, "the model file is damaged; train it again");
  if (table.total_rows < needed)
    throw TaskError(fmt::format("the input has {} rows; a window of {} needs {}", table.total_rows,
                                series.window, needed),
                    {}, "give the model more of the series");
  const auto levels = last_rows(comm, table, needed);
  comm.agree([&] {
    if (!comm.is_root()) return;
    std::vector<double> window, features, scores(columns);
    append_window(series, levels, window);
    Transform(storage::numbers_named(window_feature_names(series)), schema.steps)
        .apply(window, window.size(), features);
    if (features.size() != schema.features.size())
      throw TaskError("the model's windows do not make the features that it was trained on", {},
                      "the model file is damaged; train it again");
    predictor.predict(features, 1, scores);
    const auto last = std::span(levels).last(columns);
    for (std::uint64_t c = 0; c < columns; ++c)
      scores[c] = restored(transform_of(series), last[c], scores[c]);
    std::string line;
    PredictionLines(schema, false).append(line, table.total_rows - 1 + series.horizon, scores);
    text.append(line);
  });
}

}  // namespace

Result deploy(const Spec& spec, const Communicator& comm, const storage::Schema& schema,
              const Predictor& predictor) {
  const Options options = options_of(spec, schema, predictor);
  const auto input = open_input(comm, spec, columns_known_to(schema));
  const bool series = !schema.series.transform.empty();
  if (series && options.on_bad_row != OnBadRow::error)
    throw TaskError("a row of a series cannot be left out", {}, "use `on_bad_row: error`, and mend the row");
  const SvmInput* const svm = as_sparse_input(*input, schema);
  const Scratch scratch{spec.output_directory, spec.key};
  const Buffer buffer{setting_as<std::uint64_t>(spec.config, "buffer"), scratch};
  OrderedText predictions(scratch);
  const PredictionLines lines(schema, options.probabilities, predictor.columns());
  if (comm.is_root()) predictions.append(lines.header());
  RawTable table({}, {});
  if (svm != nullptr) {
    auto sparse = svm->read_sparse(comm, reading_of(spec.config), buffer, first_svm_index(schema));
    comm.agree([&] { predict_sparse(sparse, predictor, lines, predictions); });
    table = std::move(sparse.beside);
  } else {
    const Selection selection = match_columns(*input, schema, spec.config);
    if (comm.is_root()) note_unused_columns(*input, selection);
    table = input->read(comm, selection, buffer);
    if (series)
      predict_series(comm, table, schema, predictor, predictions);
    else
      comm.agree([&] { predict_rows(table, schema, predictor, lines, predictions); });
  }
  if (agree_to_stop(comm)) throw Stopped{};

  Result result;
  const std::uint64_t rejected = comm.allreduce(std::uint64_t{table.rejected.size()}, Reduction::sum);
  const std::uint64_t rows = series ? 1 : table.total_rows - rejected;
  write_in_rank_order(comm, spec.output_directory / "predictions.csv", predictions);
  result.artifacts["predictions"] = "predictions.csv";
  if (options.on_bad_row == OnBadRow::skip) {
    write_rejected(comm, spec.output_directory / "rejected.csv", table.rejected, scratch);
    result.artifacts["rejected"] = "rejected.csv";
  }
  if (comm.is_root())
    fmt::print("{}: {} predictions, {} rows rejected\n", spec.input("input").filename().string(), rows,
               rejected);
  result.metrics = {{"rows", rows}, {"rejected", rejected}};
  if (options.on_bad_row == OnBadRow::impute)
    result.metrics["imputed"] = comm.allreduce(table.imputed, Reduction::sum);
  return result;
}

}  // namespace kernmill::tasks
