#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "kernmill/base/table/csv.hpp"
#include "kernmill/tasks/data/read/input.hpp"

namespace kernmill::tasks {

/// Parses records of CSV into the rows of a table. Plain numbers and texts take a fast path; a record with
/// anything else in it is read by CsvCursor, which knows all the rules and every place.
class CsvRows {
 public:
  CsvRows(std::string file, const std::vector<std::string>& names, char delimiter, const Selection& selection,
          RawTable& table);
  /// Whole records; the line behind them. Throws TaskError at a bad one, as the selection's policy has it.
  std::uint64_t read(std::string_view text, std::uint64_t first_line);

 private:
  /// What a column of the file is for.
  enum class Use : unsigned char { none, number, text };
  struct Column {
    Use use = Use::none;
    std::size_t wanted = 0;
  };
  bool fast_record();
  bool fast_field(const Column& column, double* row);
  bool fast_number(const Column& column, double* row);
  bool fast_text(const Column& column, double* row);
  [[nodiscard]] bool at_end_of_field() const;
  [[nodiscard]] bool at_line_end() const;
  bool skip_line_end();
  void slow_record();
  void take(const std::vector<CsvField>& fields);
  bool judge(const std::vector<CsvField>& fields, RejectedRow& bad);
  void keep_row();

  std::string file_;
  const std::vector<std::string>* names_;
  char delimiter_;
  const Selection* selection_;
  RawTable* table_;
  ValueJudge judge_;
  std::vector<Column> columns_;  ///< by column of the file; the last wanted one decides
  bool plain_ = true;            ///< no column is wanted twice, so that the fast path knows all
  std::string_view text_;
  const char* at_ = nullptr;
  const char* end_ = nullptr;
  std::uint64_t line_ = 1;
};

}  // namespace kernmill::tasks
