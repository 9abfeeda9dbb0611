#include "kernmill/tasks/data/read/csv_rows.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>

#include <fmt/format.h>

#include "kernmill/base/table/numbers.hpp"
#include "kernmill/tasks/support/task_error.hpp"

namespace kernmill::tasks {
namespace {

constexpr std::size_t npos = std::string_view::npos;

constexpr std::array<double, 23> powers_of_ten{1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                               1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                               1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
constexpr int most_digits = 19;  // fit into 64 bits
constexpr std::uint64_t exact_integers = std::uint64_t{1} << 53U;

bool is_digit(char c) {
  return static_cast<unsigned char>(c - '0') < 10;
}

/// A decimal number without an exponent. Exact where the digits are an exact double and so is the power of
/// ten: then one division rounds correctly (Clinger, How to read floating point numbers accurately, 1990).
/// False, and `at` as it was, where this does not hold.
bool plain_decimal(const char*& at, const char* end, double& value) {
  const char* p = at;
  const bool negative = p != end && *p == '-';
  if (negative) ++p;
  const char* first = p;
  std::uint64_t digits = 0;
  while (p != end && is_digit(*p)) digits = digits * 10 + static_cast<std::uint64_t>(*p++ - '0');
  auto count = p - first;
  std::size_t behind_point = 0;
  if (p != end && *p == '.') {
    const char* fraction = ++p;
    while (p != end && is_digit(*p)) digits = digits * 10 + static_cast<std::uint64_t>(*p++ - '0');
    behind_point = static_cast<std::size_t>(p - fraction);
    count += p - fraction;
  }
  if (count == 0 || count > most_digits || digits > exact_integers) return false;
  const auto whole = static_cast<double>(digits);
  const double magnitude = behind_point == 0 ? whole : whole / powers_of_ten[behind_point];
  value = negative ? -magnitude : magnitude;
  at = p;
  return true;
}

}  // namespace

CsvRows::CsvRows(std::string file, const std::vector<std::string>& names, char delimiter,
                 const Selection& selection, RawTable& table)
    : file_(std::move(file)),
      names_(&names),
      delimiter_(delimiter),
      selection_(&selection),
      table_(&table),
      judge_(selection, table),
      columns_(names.size()) {
  for (std::size_t i = 0; i < selection.columns.size(); ++i) {
    Column& column = columns_.at(selection.columns[i].column);
    plain_ = plain_ && column.use == Use::none;
    column = {selection.columns[i].text ? Use::text : Use::number, i};
  }
}

bool CsvRows::at_line_end() const {
  return at_ == end_ || *at_ == '\n' || (*at_ == '\r' && (at_ + 1 == end_ || at_[1] == '\n'));
}

bool CsvRows::at_end_of_field() const {
  return at_ == end_ || *at_ == delimiter_ || *at_ == '\n' || (*at_ == '\r' && at_line_end());
}

bool CsvRows::skip_line_end() {
  if (at_ != end_ && *at_ == '\r') ++at_;
  if (at_ == end_) return false;
  ++at_;
  ++line_;
  return true;
}

void CsvRows::keep_row() {
  table_->rows.next()[selection_->columns.size()] = static_cast<double>(table_->read);
  table_->rows.keep();
  ++table_->read;
}

std::uint64_t CsvRows::read(std::string_view text, std::uint64_t first_line) {
  text_ = text;
  at_ = text.data();
  end_ = at_ + text.size();
  line_ = first_line;
  while (at_ != end_) {
    if (at_line_end()) {  // a blank line
      skip_line_end();
      continue;
    }
    const char* const record = at_;
    const std::uint64_t line = line_;
    if (plain_ && fast_record()) {
      keep_row();
      continue;
    }
    at_ = record;
    line_ = line;
    slow_record();
  }
  return line_;
}

bool CsvRows::fast_record() {
  double* const row = table_->rows.next();
  const std::size_t last = columns_.size() - 1;
  for (std::size_t c = 0; c < last; ++c) {
    if (!fast_field(columns_[c], row) || at_ == end_ || *at_ != delimiter_) return false;
    ++at_;
  }
  if (!fast_field(columns_[last], row) || !at_line_end()) return false;
  skip_line_end();
  return true;
}

bool CsvRows::fast_field(const Column& column, double* row) {
  return column.use == Use::number ? fast_number(column, row) : fast_text(column, row);
}

bool CsvRows::fast_number(const Column& column, double* row) {
  const Wanted& wanted = selection_->columns[column.wanted];
  double& slot = row[column.wanted];
  const char* const begin = at_;
  if (!plain_decimal(at_, end_, slot) || !at_end_of_field()) {
    at_ = begin;
    if (wanted.may_be_missing && at_end_of_field()) {  // an empty field
      slot = std::numeric_limits<double>::quiet_NaN();
      return true;
    }
    const auto [end, error] = std::from_chars(at_, end_, slot);
    if (error != std::errc{} || end == at_ || !std::isfinite(slot)) return false;
    at_ = end;
    if (!at_end_of_field() || std::abs(slot) >= end_of_exact_integers) return false;
  }
  if (judge_.means_missing(slot)) {
    slot = std::numeric_limits<double>::quiet_NaN();
    return wanted.may_be_missing;
  }
  return !wanted.positive || slot > 0;
}

/// Also passes over a field that nobody wants.
bool CsvRows::fast_text(const Column& column, double* row) {
  const char* begin = at_;
  const char* end = nullptr;
  if (at_ != end_ && *at_ == '"') {
    ++begin;
    end = static_cast<const char*>(std::memchr(begin, '"', static_cast<std::size_t>(end_ - begin)));
    if (end == nullptr) return false;
    at_ = end + 1;
    if (!at_end_of_field()) return false;  // a doubled quote, or a mistake
    line_ += static_cast<std::uint64_t>(std::count(begin, end, '\n'));
  } else {
    while (!at_end_of_field() && *at_ != '"') ++at_;
    if (!at_end_of_field()) return false;
    end = at_;
    if (begin != end && (*begin == ' ' || *begin == '\t' || end[-1] == ' ' || end[-1] == '\t')) return false;
  }
  if (column.use == Use::none) return true;
  const std::string_view text(begin, static_cast<std::size_t>(end - begin));
  const std::uint64_t imputed = table_->imputed;
  if (judge_.take_text(column.wanted, text, row[column.wanted]).empty()) return true;
  table_->imputed = imputed;
  return false;
}

void CsvRows::slow_record() {
  const auto begin = static_cast<std::size_t>(at_ - text_.data());
  CsvCursor cursor(text_.substr(begin), delimiter_, line_);
  std::vector<CsvField> fields;
  try {
    if (!cursor.next(fields)) {
      at_ = end_;
      return;
    }
  } catch (const CsvError& e) {
    throw TaskError(e.what(), fmt::format("{}:{}:{}", file_, e.place.line, e.place.column),
                    "a quote inside a quoted field is written twice");
  }
  take(fields);
  at_ = text_.data() + begin + cursor.position();
  line_ = cursor.line();
}

void CsvRows::take(const std::vector<CsvField>& fields) {
  RejectedRow bad;
  if (judge(fields, bad)) return keep_row();
  bad.file = file_;
  if (selection_->on_bad_row != OnBadRow::skip) {
    TaskError error = error_of(bad);
    if (names_->size() == 1 && bad.value.find_first_of(",;\t|") != npos)
      error.help = fmt::format("is '{}' the right delimiter? The header is one column to it", delimiter_);
    throw error;
  }
  bad.row = table_->read++;
  table_->rejected.push_back(std::move(bad));
}

/// False, and the first mistake in the order of the file's columns, whatever order they are wanted in.
bool CsvRows::judge(const std::vector<CsvField>& fields, RejectedRow& bad) {
  if (fields.size() != names_->size()) {
    bad.place = fields[0].place;
    bad.reason = fmt::format("has {} fields, not {}", fields.size(), names_->size());
    return false;
  }
  double* const row = table_->rows.next();
  std::size_t first = npos;
  for (std::size_t i = 0; i < selection_->columns.size(); ++i) {
    const std::size_t column = selection_->columns[i].column;
    const std::string text = fields[column].text();
    const std::string_view judged = selection_->columns[i].text ? std::string_view(text) : fields[column].raw;
    const std::string reason = judge_.take_text(i, judged, row[i]);
    if (reason.empty() || column >= first) continue;
    first = column;
    bad.place = fields[column].place;
    bad.column = (*names_)[column];
    bad.value = text;
    bad.reason = reason;
  }
  return first == npos;
}

}  // namespace kernmill::tasks
