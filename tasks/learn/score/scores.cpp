#include "kernmill/tasks/learn/score/scores.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include <fmt/format.h>

#include "kernmill/tasks/learn/rows/batch.hpp"
#include "kernmill/tasks/learn/rows/shards.hpp"
#include "kernmill/tasks/support/task_error.hpp"

namespace kernmill::tasks {
namespace {

using kernels::Host;
using Sums = kernels::Vector<Host>;

/// Rows with their predictions.
struct Predicted {
  std::uint64_t rows;
  std::vector<double> target, scores;
};

/// Calls back with the rows of a shard, a chunk at a time.
template <class Take>
void each_predicted_chunk(const Rows& rows, const Predictor& predictor, std::uint64_t leaf,
                          const Take& take) {
  const auto outputs = predictor.outputs();
  std::vector<storage::IndexRange> chunks;
  append_chunks(shard_of(rows.count(), leaf), Network::chunk_rows, chunks);
  HostRows read;
  Predicted chunk{};
  for (const storage::IndexRange& range : chunks) {
    read.read(rows, range);
    chunk.rows = range.count();
    chunk.scores.resize(chunk.rows * outputs);
    rows.is_sparse() ? predictor.predict(read.sparse, chunk.scores)
                     : predictor.predict(read.features, chunk.rows, chunk.scores);
    chunk.target.swap(read.target);
    take(chunk);
  }
}

void keep(const Predicted& chunk, std::size_t classes, RowStore& judged) {
  for (std::uint64_t i = 0; i < chunk.rows; ++i) {
    double* const row = judged.next();
    row[0] = chunk.target[i];
    std::copy_n(chunk.scores.data() + i * classes, classes, row + 1);
    judged.keep();
  }
}

double total(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0);
}

void add_to(const std::vector<double>& source, std::vector<double>& target) {
  if (target.empty()) target.resize(source.size(), 0.0);
  for (std::size_t i = 0; i < target.size(); ++i) target[i] += source[i];
}

/// Adds to sums: confusion matrix, the log loss of each class, then that of all.
void add_classes(const Predicted& chunk, std::size_t classes, bool probabilities, const Sums& sums) {
  for (std::uint64_t i = 0; i < chunk.rows; ++i) {
    const double* scores = chunk.scores.data() + i * classes;
    const auto predicted = static_cast<std::size_t>(std::max_element(scores, scores + classes) - scores);
    const auto label = static_cast<std::size_t>(chunk.target[i]);
    sums(label * classes + predicted) += 1;
    if (probabilities) {
      const double loss = log_loss_of(scores[label]);
      sums(classes * classes + label) += loss;
      sums(classes * classes + classes) += loss;
    }
  }
}

/// Adds to sums: squared errors, absolute errors, targets; k each.
void add_numbers(const Predicted& chunk, std::size_t columns, const Sums& sums) {
  for (std::size_t i = 0; i < chunk.rows * columns; ++i) {
    const double error = chunk.target[i] - chunk.scores[i];
    sums(i % columns) += error * error;
    sums(columns + i % columns) += std::abs(error);
    sums(2 * columns + i % columns) += chunk.target[i];
  }
}

std::vector<double> squared_deviations(const Communicator& comm, const Rows& rows,
                                       const std::vector<double>& sum) {
  const std::size_t columns = sum.size();
  LeafSum<Host> fold(comm, shard_count, columns);
  const auto sums = fold([&](std::uint64_t leaf, const Sums& out) {
    Kokkos::deep_copy(out, 0.0);
    std::vector<storage::IndexRange> chunks;
    append_chunks(shard_of(rows.count(), leaf), Network::chunk_rows, chunks);
    for (const storage::IndexRange& range : chunks) {
      std::vector<double> target(range.count() * columns);
      rows.read(range, std::span<double>(), target);
      for (std::size_t i = 0; i < target.size(); ++i) {
        const double deviation = target[i] - sum[i % columns] / static_cast<double>(rows.count());
        out(i % columns) += deviation * deviation;
      }
    }
  });
  return {sums.begin(), sums.end()};
}

[[noreturn]] void mismatch(const std::string& what, const std::string& advice) {
  throw TaskError("the model does not fit the data: " + what, {}, advice);
}

}  // namespace

double log_loss_of(double probability) {
  return -std::log(std::max(probability, std::numeric_limits<double>::min()));
}

void ClassScores::add(const ClassScores& other) {
  rows += other.rows;
  log_loss += other.log_loss;
  has_probabilities = other.has_probabilities;
  add_to(other.log_loss_of_class, log_loss_of_class);
  add_to(other.confusion, confusion);
}

Json ClassScores::metrics() const {
  const auto classes =
      static_cast<std::size_t>(std::lround(std::sqrt(static_cast<double>(confusion.size()))));
  double right = 0;
  for (std::size_t i = 0; i < classes; ++i) right += confusion[i * classes + i];
  const auto n = static_cast<double>(rows);
  Json json = {{"accuracy", right / n}, {"correct", static_cast<std::uint64_t>(right)}, {"rows", rows}};
  const double known = n - total(unknown);
  if (has_probabilities && known > 0) json["log_loss"] = log_loss / known;
  return json;
}

void NumberScores::add(const NumberScores& other) {
  // Means of folds differ: deviations from the pooled mean follow from each fold's (Chan, Golub, LeVeque).
  for (std::size_t j = 0; j < squared_deviation.size(); ++j) {
    const auto n = static_cast<double>(rows), m = static_cast<double>(other.rows);
    const double apart = sum[j] / n - other.sum[j] / m;
    squared_deviation[j] += apart * apart * n * m / (n + m);
  }
  rows += other.rows;
  add_to(other.squared_error, squared_error);
  add_to(other.absolute_error, absolute_error);
  add_to(other.sum, sum);
  add_to(other.squared_deviation, squared_deviation);
}

Json NumberScores::metrics() const {
  const auto n = static_cast<double>(rows) * static_cast<double>(squared_error.size());
  Json json = {{"rmse", std::sqrt(total(squared_error) / n)}, {"mae", total(absolute_error) / n}};
  if (total(squared_deviation) > 0) json["r2"] = 1.0 - total(squared_error) / total(squared_deviation);
  json["rows"] = rows;
  return json;
}

ClassScores score_classes(const Communicator& comm, const Rows& rows, const Predictor& predictor,
                          RowStore* judged) {
  const auto classes = predictor.outputs();
  LeafSum<Host> fold(comm, shard_count, classes * classes + classes + 1);
  const auto sums = fold([&](std::uint64_t leaf, const Sums& out) {
    Kokkos::deep_copy(out, 0.0);
    each_predicted_chunk(rows, predictor, leaf, [&](const Predicted& chunk) {
      add_classes(chunk, classes, predictor.gives_probabilities(), out);
      if (judged != nullptr) keep(chunk, classes, *judged);
    });
  });
  const auto losses = sums.begin() + static_cast<std::ptrdiff_t>(classes * classes);
  ClassScores scores{
      rows.count(), {sums.begin(), losses}, sums.back(), predictor.gives_probabilities(), {}, {}};
  scores.log_loss_of_class.assign(losses, sums.end() - 1);
  return scores;
}

NumberScores score_numbers(const Communicator& comm, const Rows& rows, const Predictor& predictor) {
  const auto columns = predictor.outputs();
  LeafSum<Host> fold(comm, shard_count, 3 * columns);
  const auto sums = fold([&](std::uint64_t leaf, const Sums& out) {
    Kokkos::deep_copy(out, 0.0);
    each_predicted_chunk(rows, predictor, leaf,
                         [&](const Predicted& chunk) { add_numbers(chunk, columns, out); });
  });
  const auto part = [&](std::size_t i) {
    const auto values = sums.subspan(i * columns, columns);
    return std::vector<double>(values.begin(), values.end());
  };
  NumberScores scores{rows.count(), part(0), part(1), part(2), {}};
  scores.squared_deviation = squared_deviations(comm, rows, scores.sum);
  return scores;
}

void check_same_meaning(const storage::Schema& model, const storage::Schema& data) {
  if (model.features != data.features) {
    mismatch(fmt::format("it was trained on {} features, and the data has {}{}", model.features.size(),
                         data.features.size(),
                         model.features.size() == data.features.size() ? " of other names" : ""),
             "evaluate it on a dataset with the columns that it was trained on");
  }
  if (model.target_kind != data.target_kind || model.classes != data.classes ||
      model.target_names != data.target_names) {
    mismatch("its target is not the data's", "evaluate it on a dataset with the same target and classes");
  }
  if (model.steps != data.steps) {
    mismatch("their features were not preprocessed alike",
             "evaluate it on the dataset that it was trained on, or on raw data prepared in the same stage");
  }
}

}  // namespace kernmill::tasks
