#include "kernmill/tasks/data/table.hpp"

#include <algorithm>
#include <numeric>

#include <fmt/format.h>

#include "kernmill/tasks/support/task_error.hpp"

namespace kernmill::tasks {
namespace {

std::size_t edit_distance(std::string_view a, std::string_view b) {  // Levenshtein, one row at a time
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i + 1);
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, diagonal + 1});
    }
  }
  return row.back();
}

std::string nearest(const std::vector<std::string>& names, const std::string& wanted) {
  return *std::min_element(names.begin(), names.end(), [&](const auto& a, const auto& b) {
    return edit_distance(a, wanted) < edit_distance(b, wanted);
  });
}

constexpr std::size_t longest_value = 60;

std::string shown(const std::string& value) {
  return value.size() <= longest_value ? value : value.substr(0, longest_value) + "...";
}

TaskError error_of(const CsvHeader& header, const RejectedRow& bad) {
  const std::string where = at(header.file, bad.place);
  if (bad.column.empty())
    return TaskError(fmt::format("the row {}", bad.reason), where,
                     "is a delimiter missing, or does a text with delimiters need quotes?");
  return TaskError(fmt::format("'{}' in column '{}' {}", shown(bad.value), bad.column, bad.reason), where,
                   "correct the value, or leave the row or the column out");
}

/// Reads one rank's records into a TableShare.
class TableParser {
 public:
  TableParser(const CsvHeader& header, const Selection& selection, OnBadRow on_bad_row)
      : header_(header), selection_(selection), on_bad_row_(on_bad_row) {}

  TableShare parse(const CsvShare& share) {
    CsvCursor cursor(share.text, header_.format.delimiter, share.first_line);
    std::vector<CsvField> fields;
    try {
      while (cursor.next(fields)) take(fields);
    } catch (const CsvError& e) {
      throw TaskError(e.what(), at(header_.file, e.place), "a quote inside a quoted field is written twice");
    }
    return std::move(table_);
  }

 private:
  void take(const std::vector<CsvField>& fields) {
    const std::size_t before = table_.numbers.size();
    if (auto bad = first_mistake(fields)) {
      if (on_bad_row_ == OnBadRow::error) throw error_of(header_, *bad);
      bad->row = next_row_;
      table_.numbers.resize(before);
      table_.rejected.push_back(std::move(*bad));
    } else {
      table_.row_numbers.push_back(next_row_);
      if (selection_.text) table_.texts.push_back(fields[*selection_.text].text());
    }
    ++next_row_;
  }

  /// Appends the row's numbers until one is wrong.
  std::optional<RejectedRow> first_mistake(const std::vector<CsvField>& fields) {
    if (fields.size() != header_.names.size())
      return RejectedRow{0,
                         fields[0].place,
                         {},
                         {},
                         fmt::format("has {} fields, not {}", fields.size(), header_.names.size())};
    std::optional<RejectedRow>
        first;  // in the order of the file's columns, whatever order they are wanted in
    const auto found = [&](std::size_t column, const std::string& reason) {
      const CsvField& field = fields[column];
      if (!first || field.place.line < first->place.line ||
          (field.place.line == first->place.line && field.place.column < first->place.column))
        first = RejectedRow{0, field.place, header_.names[column], field.text(), reason};
    };
    for (const std::size_t column : selection_.numbers) {
      double value = 0;
      std::string reason = parse_number(fields[column].raw, value);
      if (reason.empty() && selection_.positive && value <= 0)
        reason = "is not above zero: it has no logarithm";
      if (!reason.empty()) found(column, reason);
      table_.numbers.push_back(value);
    }
    if (selection_.text) {
      const std::string text = fields[*selection_.text].text();
      if (text.empty()) found(*selection_.text, "is empty");
      if (text.find('\0') != std::string::npos) found(*selection_.text, "holds a NUL byte");
    }
    return first;
  }

  const CsvHeader& header_;
  const Selection& selection_;
  OnBadRow on_bad_row_;
  TableShare table_;
  std::uint64_t next_row_ = 0;
};

}  // namespace

TableShare read_table(const Communicator& comm, const CsvHeader& header, const Selection& selection,
                      OnBadRow on_bad_row) {
  CsvShare share = read_csv_share(comm, header);
  TableShare table;
  comm.agree([&] { table = TableParser(header, selection, on_bad_row).parse(share); });
  const std::uint64_t rows = table.rows() + table.rejected.size();
  const std::uint64_t below = comm.exscan(rows);
  for (auto& row : table.row_numbers) row += below;
  for (auto& rejected : table.rejected) rejected.row += below;
  table.total_rows = comm.allreduce(rows, Reduction::sum);
  if (table.total_rows == 0)
    throw TaskError(fmt::format("{} has a header and no data rows", header.file.string()),
                    at(header.file, {header.data_line, 1}), "it needs at least one row below the header");
  return table;
}

std::size_t column_index(const CsvHeader& header, const std::string& name, const std::string& wanted_as) {
  const auto it = std::find(header.names.begin(), header.names.end(), name);
  if (it != header.names.end()) return static_cast<std::size_t>(it - header.names.begin());
  const std::string list = fmt::format("the columns are: {}", fmt::join(header.names, ", "));
  throw TaskError(fmt::format("{} has no column '{}' ({})", header.file.string(), name, wanted_as),
                  at(header.file, {}),
                  fmt::format("did you mean '{}'? {}", nearest(header.names, name), shown(list)));
}

}  // namespace kernmill::tasks
