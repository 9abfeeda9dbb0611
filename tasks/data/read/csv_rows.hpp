#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "kernmill/base/table/csv.hpp"
#include "kernmill/base/table/table_header.hpp"
#include "kernmill/tasks/data/read/input.hpp"
#include "kernmill/tasks/data/read/short_texts.hpp"

namespace kernmill::tasks {

/// Parses records of CSV into the rows of a table. Plain numbers and texts take a fast path; a record with
/// anything else in it is read by CsvCursor, which knows all the rules and every place.
class CsvRows {
 public:
  CsvRows(std::string file, const std::vector<std::string>& names, CsvFormat format,
          const Selection& selection, RawTable& table);
  /// Whole records; the line behind them. Throws TaskError at a bad one, as the selection's policy has it.
  std::uint64_t read(std::string_view text, std::uint64_t first_line);

 private:
  /// What a column of the file is for.
  enum class Use : unsigned char { none, number, text };
  struct Column {
    Use use = Use::none;
    bool may_be_missing = false, positive = false, not_negative = false;
    bool checked = false;  ///< not every number will do
    std::size_t wanted = 0;
  };
  /// These return where the field, or the record, ends; nullptr where the slow path has to look.
  const char* fast_record(const char* at);
  const char* fast_number(const char* at, const Column& column, double& slot) const;
  const char* other_number(const char* at, const Column& column, double& slot) const;
  const char* fast_text(const char* at, const Column& column, double* row);
  const char* quoted_text(const char* at, std::string_view& text);
  const char* plain_text(const char* at, std::string_view& text) const;
  bool keep_text(std::string_view text, const Column& column, double* row);
  [[nodiscard]] bool ends_field(const char* at) const;
  [[nodiscard]] bool ends_line(const char* at) const;
  void slow_record();
  void take(const std::vector<CsvField>& fields);
  bool judge(const std::vector<CsvField>& fields, RejectedRow& bad);
  std::string judge_field(const CsvField& field, std::size_t wanted, double& slot);
  [[nodiscard]] std::string help_for(const std::vector<CsvField>& fields, const RejectedRow& bad) const;
  void keep_row();

  std::string file_;
  const std::vector<std::string>* names_;
  CsvFormat format_;
  const Selection* selection_;
  RawTable* table_;
  ValueJudge judge_;
  std::vector<Column> columns_;     ///< by column of the file; the last wanted one decides
  std::vector<ShortTexts> judged_;  ///< by column of the file, where it is one of texts
  bool plain_ = true;               ///< no column is wanted twice, so that the fast path knows all
  bool missing_numbers_ = false;    ///< some numbers mean a missing value
  std::string_view text_;
  const char* at_ = nullptr;
  const char* end_ = nullptr;
  std::uint64_t line_ = 1;
};

}  // namespace kernmill::tasks
