#pragma once
#include <cstddef>
#include <string>
#include <vector>

#include "kernmill/report/run_status.hpp"

namespace kernmill {

/// What the instances of a stage found, a row each: the values that its matrix or search gave it, its
/// metrics, and how it went.
///
/// Columns: instance, the values, the metrics, state, attempts, seconds, peak_memory (where it is known;
/// bytes of the largest process of the last attempt), node (where a batch system gave one). A name that a
/// value and a metric share is `matrix.NAME` and `metrics.NAME`; so is one of Kernmill's own.
class ResultsTable {
 public:
  enum class Order { largest_first, smallest_first };

  void add(const InstanceStatus& instance);
  [[nodiscard]] std::size_t size() const { return rows_.size(); }
  [[nodiscard]] std::vector<std::string> columns() const;
  /// Numbers before texts; rows that have nothing there, or no number (NaN), come last; else as they came.
  /// False when there is no such column.
  [[nodiscard]] bool sort(const std::string& column, Order order);
  void keep_first(std::size_t rows);

  /// Aligned, rounded, for people; lists are left out.
  [[nodiscard]] std::string text() const;
  /// Fields as in RFC 4180, a line of names first; numbers in full, nothing where there is no value.
  [[nodiscard]] std::string csv() const;
  /// A map a row: instance, matrix, metrics, state, attempts, seconds, peak_memory, node, warning.
  [[nodiscard]] Json json() const;

 private:
  struct Row {
    std::string instance, node;
    Json values, metrics;
    std::string state;
    unsigned attempts = 0;
    double seconds = 0;
    std::uint64_t peak_memory = 0;
    std::string warning = {};
  };
  enum class Source { instance, values, metrics, state, attempts, seconds, peak_memory, node };
  struct Column {
    std::string name;  ///< as people read it
    Source source;
    std::string key = {};  ///< of a value or a metric
  };
  [[nodiscard]] std::vector<Column> all_columns() const;
  [[nodiscard]] static Json cell(const Row& row, const Column& column);

  std::vector<Row> rows_;
  std::vector<std::string> values_, metrics_;  ///< names that occur, as they came
  bool has_nodes_ = false, has_memory_ = false;
};

}  // namespace kernmill
