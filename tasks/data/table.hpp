#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "kernmill/tasks/data/csv_file.hpp"

namespace kernmill::tasks {

/// Which columns of a CSV file are wanted, by index.
struct Selection {
  std::vector<std::size_t> numbers;
  std::optional<std::size_t> text;
  bool positive = false;  ///< numbers must be above zero (their logarithm is taken)
};

enum class OnBadRow { error, skip };

/// A row that was left out, and the first thing wrong with it.
struct RejectedRow {
  std::uint64_t row = 0;  ///< 0-based data row
  CsvPlace place;
  std::string column, value, reason;
};

/// A rank's rows of the wanted columns, in file order; the ranks' rows follow each other.
struct TableShare {
  std::uint64_t total_rows = 0;            ///< of the file, rejected ones included
  std::vector<std::uint64_t> row_numbers;  ///< of the rows below, 0-based in the file
  std::vector<double> numbers;             ///< rows x wanted, row-major
  std::vector<std::string> texts;
  std::vector<RejectedRow> rejected;
  [[nodiscard]] std::uint64_t rows() const { return row_numbers.size(); }
};

/// Collective. Throws TaskError on every rank: that of the first bad row in the file, whatever the number of
/// ranks. With OnBadRow::skip only a file that is no CSV at all is an error.
TableShare read_table(const Communicator& comm, const CsvHeader& header, const Selection& selection,
                      OnBadRow on_bad_row);

/// The index of a column. Throws TaskError with the nearest name when there is none.
std::size_t column_index(const CsvHeader& header, const std::string& name, const std::string& wanted_as);

}  // namespace kernmill::tasks
