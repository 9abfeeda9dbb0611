#include "kernmill/tasks/kinds/evaluate_file.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <optional>

#include <fmt/format.h>

#include "kernmill/tasks/comm/stop.hpp"
#include "kernmill/tasks/data/prepare/exact_sum.hpp"
#include "kernmill/tasks/data/prepare/locate_row.hpp"
#include "kernmill/tasks/data/prepare/transform.hpp"
#include "kernmill/tasks/data/read/rejected.hpp"
#include "kernmill/tasks/data/store/aligned_blocks.hpp"
#include "kernmill/tasks/kinds/model_columns.hpp"
#include "kernmill/tasks/kinds/sparse_columns.hpp"

namespace kernmill::tasks {
namespace {

constexpr std::uint64_t rows_judged_at_once = 4096;
constexpr std::uint64_t no_row = std::numeric_limits<std::uint64_t>::max();

void require_judgeable(const storage::Schema& schema) {
  if (!schema.series.transform.empty())
    throw TaskError("a model of a series is judged on a dataset only", {},
                    "give the preprocess stage the longer series, and evaluate its test rows (`data`)");
  if (schema.target.empty())
    throw TaskError("the model has no target column to compare with", {},
                    "train it with a target, or predict with a deploy stage");
}

/// The model's columns, and its target behind them. Of sparse rows that is all that lies beside them.
Selection with_target(const Input& input, const storage::Schema& schema, bool sparse, Selection selection) {
  if (sparse && schema.target != "label")
    throw TaskError(
        fmt::format("the model's target is '{}', and files of LIBSVM's format have a 'label'", schema.target),
        {}, "the model file is damaged; train it again");
  Wanted wanted{
      sparse ? 0
             : column_index(input, schema.target, "the target, which is compared with what is predicted")};
  wanted.text = schema.target_kind == storage::TargetKind::classes;
  wanted.known = schema.classes;
  selection.columns.push_back(std::move(wanted));
  return selection;
}

/// The rows of the file: the model's columns, the target, and the row's number; or sparse ones, and the last
/// two beside them.
struct FileRows {
  RawTable table;
  std::optional<SparseStore> sparse{};
};

template <class Take>
void each_sparse_judged(const Communicator& comm, const FileRows& rows, const Predictor& predictor,
                        const Take& take) {
  comm.agree([&] {
    std::vector<double> all, targets, scores;
    rows.table.rows.each_block([&](std::uint64_t, std::span<const double> block) {
      for (std::size_t at = 0; at < block.size(); at += rows.table.rows.width()) all.push_back(block[at]);
    });
    each_sparse_block(*rows.sparse, [&](std::uint64_t first, const storage::SparseRows& some) {
      scores.resize(some.rows() * predictor.outputs());
      predictor.predict(some, scores);
      const auto begin = all.begin() + static_cast<std::ptrdiff_t>(first);
      targets.assign(begin, begin + static_cast<std::ptrdiff_t>(some.rows()));
      take(targets, scores);
    });
  });
}

/// Calls back with blocks of rows: their targets (an index at or beyond the classes for one that the model
/// does not know) and scores. Whole rows are in the same blocks on any number of ranks.
template <class Take>
void each_judged_block(const Communicator& comm, const FileRows& all, const storage::Schema& schema,
                       const Predictor& predictor, const Take& take) {
  if (all.sparse) return each_sparse_judged(comm, all, predictor, take);
  const RawTable& table = all.table;
  const Transform transform(inputs_of(schema), schema.steps);
  if (transform.names() != schema.features)
    throw TaskError("the model's preprocessing does not make the features that it was trained on");
  const std::size_t stride = table.rows.width(), target = stride - 2;
  const auto outputs = predictor.outputs();
  std::vector<double> features, scores, targets;
  each_aligned_block(comm, table.rows, rows_judged_at_once, [&](std::span<const double> block) {
    const std::size_t rows = block.size() / stride;
    features.clear();
    transform.apply(block, stride, features);
    scores.resize(rows * outputs);
    predictor.predict(features, rows, scores);
    targets.resize(rows);
    for (std::size_t i = 0; i < rows; ++i) targets[i] = block[i * stride + target];
    take(targets, scores);
  });
}

/// Sums that no order of their terms can change.
class ExactSums {
 public:
  explicit ExactSums(std::size_t count) : sums_(count) {}
  void add(std::size_t i, double value) {
    if (!std::isfinite(value))
      throw TaskError("a prediction is no finite number, or too large to be squared", {},
                      "did the training diverge? Look at its loss");
    sums_[i].add(value);
  }
  /// Collective.
  std::vector<double> values(const Communicator& comm) {
    std::vector<double> values;
    for (ExactSum& sum : sums_) {
      comm.allreduce(sum.digits(), Reduction::sum);
      values.push_back(sum.value());
    }
    return values;
  }

 private:
  std::vector<ExactSum> sums_;
};

void judge_classes(const Communicator& comm, const FileRows& table, const storage::Schema& schema,
                   const Predictor& predictor, JudgedFile& file) {
  const std::size_t classes = schema.classes.size();
  ClassScores& scores = file.classes;
  scores.has_probabilities = predictor.gives_probabilities();
  scores.confusion.assign(classes * classes, 0.0);
  scores.unknown.assign(classes, 0.0);
  ExactSums losses(classes + 1);
  each_judged_block(comm, table, schema, predictor, [&](const auto& targets, const auto& all) {
    for (std::size_t i = 0; i < targets.size(); ++i) {
      const double* const own = all.data() + i * classes;
      const auto predicted = static_cast<std::size_t>(std::max_element(own, own + classes) - own);
      const auto label = static_cast<std::size_t>(targets[i]);
      if (label >= classes) {
        scores.unknown[predicted] += 1;
        continue;
      }
      scores.confusion[label * classes + predicted] += 1;
      if (scores.has_probabilities) {
        losses.add(label, log_loss_of(own[label]));
        losses.add(classes, log_loss_of(own[label]));
      }
      double* const row = file.judged.next();
      row[0] = targets[i];
      std::copy_n(own, classes, row + 1);
      file.judged.keep();
    }
  });
  comm.allreduce(std::span<double>(scores.confusion), Reduction::sum);  // of whole numbers: exact
  comm.allreduce(std::span<double>(scores.unknown), Reduction::sum);
  scores.log_loss_of_class = losses.values(comm);
  scores.log_loss = scores.log_loss_of_class.back();
  scores.log_loss_of_class.pop_back();
}

void judge_numbers(const Communicator& comm, const FileRows& table, const storage::Schema& schema,
                   const Predictor& predictor, NumberScores& scores) {
  if (predictor.outputs() != 1)
    throw TaskError(fmt::format("the model predicts {} numbers, its schema 1", predictor.outputs()), {},
                    "the model file is damaged; train it again");
  ExactSums sums(3);
  each_judged_block(comm, table, schema, predictor, [&](const auto& targets, const auto& predicted) {
    for (std::size_t i = 0; i < targets.size(); ++i) {
      const double error = targets[i] - predicted[i];
      sums.add(0, error * error);
      sums.add(1, std::abs(error));
      sums.add(2, targets[i]);
    }
  });
  const std::vector<double> values = sums.values(comm);
  ExactSums deviations(1);
  const double mean = values[2] / static_cast<double>(scores.rows);
  const std::size_t stride = table.table.rows.width();
  comm.agree([&] {
    table.table.rows.each_block([&](std::uint64_t, std::span<const double> block) {
      for (std::size_t at = stride - 2; at < block.size(); at += stride)
        deviations.add(0, (block[at] - mean) * (block[at] - mean));
    });
  });
  scores.squared_error = {values[0]};
  scores.absolute_error = {values[1]};
  scores.sum = {values[2]};
  scores.squared_deviation = deviations.values(comm);
}

/// Says where the first row stands whose class the model does not know. Returns how many there are.
std::uint64_t note_unknown_classes(const Communicator& comm, const Input& input, const Selection& selection,
                                   const RawTable& table, const ClassScores& scores) {
  std::uint64_t count = 0;
  for (const double rows : scores.unknown) count += static_cast<std::uint64_t>(rows);
  if (count == 0) return 0;
  const std::size_t stride = table.rows.width(), known = selection.columns.back().known.size();
  std::uint64_t first = no_row;
  comm.agree([&] {
    table.rows.each_block([&](std::uint64_t, std::span<const double> block) {
      for (std::size_t at = 0; first == no_row && at < block.size(); at += stride)
        if (block[at + stride - 2] >= static_cast<double>(known))
          first = table.first_row + static_cast<std::uint64_t>(block[at + stride - 1]);
    });
  });
  Wanted wanted = selection.columns.back();
  wanted.only_known = true;
  const RejectedRow found = locate_row(comm, input, {{std::move(wanted)}, selection.missing},
                                       comm.allreduce(first, Reduction::min));
  if (comm.is_root())
    fmt::print(stderr,
               "warning: {}: the model does not know the class '{}'. It has learned {} classes; {} of "
               "another count as wrong, and are in neither log_loss nor roc_auc\n",
               place_of(found), shown(found.value), known,
               count == 1 ? "1 row" : fmt::format("{} rows", count));
  return count;
}

void leave_rejected(const Spec& spec, const Communicator& comm, const RawTable& table, std::uint64_t rejected,
                    Result& result) {
  const OnBadRow on_bad_row = on_bad_row_of(setting_as<std::string>(spec.config, "on_bad_row"));
  if (on_bad_row == OnBadRow::skip) {
    write_rejected(comm, spec.output_directory / "rejected.csv", table.rejected,
                   {spec.output_directory, spec.key});
    result.artifacts["rejected"] = "rejected.csv";
    result.metrics["rejected"] = rejected;
  }
  if (on_bad_row == OnBadRow::impute)
    result.metrics["imputed"] = comm.allreduce(table.imputed, Reduction::sum);
}

}  // namespace

JudgedFile judge_file(const Spec& spec, const Communicator& comm, const storage::Schema& schema,
                      const Predictor& predictor) {
  require_judgeable(schema);
  const auto input = open_input(comm, spec, columns_known_to(schema));
  const SvmInput* const svm = as_sparse_input(*input, schema);
  const Selection selection =
      with_target(*input, schema, svm != nullptr,
                  svm != nullptr ? reading_of(spec.config) : match_columns(*input, schema, spec.config));
  if (comm.is_root() && svm == nullptr) note_unused_columns(*input, selection);
  const Buffer buffer{setting_as<std::uint64_t>(spec.config, "buffer"), {spec.output_directory, spec.key}};
  FileRows read{RawTable({}, {})};
  if (svm != nullptr) {
    auto [beside, features] = svm->read_sparse(comm, selection, buffer, first_svm_index(schema));
    read.table = std::move(beside);
    read.sparse = std::move(features);
  } else {
    read.table = input->read(comm, selection, buffer);
  }
  const RawTable& table = read.table;
  if (agree_to_stop(comm)) throw Stopped{};
  const std::uint64_t rejected = comm.allreduce(std::uint64_t{table.rejected.size()}, Reduction::sum);
  const std::uint64_t rows = table.total_rows - rejected;
  JudgedFile file{{}, {}, RowStore(schema.classes.size() + 1, buffer), {}};
  file.classes.rows = file.numbers.rows = rows;
  leave_rejected(spec, comm, table, rejected, file.result);
  if (rows == 0)
    throw TaskError(fmt::format("every row of {} was left out", input->name()), {},
                    "rejected.csv, beside the logs, says why");
  if (schema.target_kind == storage::TargetKind::classes) {
    judge_classes(comm, read, schema, predictor, file);
    const std::uint64_t unknown = note_unknown_classes(comm, *input, selection, table, file.classes);
    if (unknown > 0) file.result.metrics["unknown_class_rows"] = unknown;
  } else {
    judge_numbers(comm, read, schema, predictor, file.numbers);
  }
  return file;
}

}  // namespace kernmill::tasks
