#include "kernmill/tasks/data/read/csv_rows.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>

#include <fmt/format.h>

#include "kernmill/base/table/numbers.hpp"
#include "kernmill/tasks/data/read/plain_decimal.hpp"
#include "kernmill/tasks/support/task_error.hpp"

namespace kernmill::tasks {
namespace {

constexpr std::size_t npos = std::string_view::npos;

/// The high bit of each byte that is that character; of the bytes behind the first one it may be wrong.
std::uint64_t marks_of(std::uint64_t bytes, std::uint64_t character) {
  constexpr std::uint64_t every = 0x0101010101010101;
  const std::uint64_t zero_there = bytes ^ (every * character);
  return (zero_there - every) & ~zero_there & (every * 0x80);
}

bool is_blank(char c) {
  return c == ' ' || c == '\t';
}

}  // namespace

CsvRows::CsvRows(std::string file, const std::vector<std::string>& names, CsvFormat format,
                 const Selection& selection, RawTable& table)
    : file_(std::move(file)),
      names_(&names),
      format_(format),
      selection_(&selection),
      table_(&table),
      judge_(selection, table),
      columns_(names.size()),
      judged_(names.size()),
      missing_numbers_(judge_.knows_missing_numbers()) {
  for (std::size_t i = 0; i < selection.columns.size(); ++i) {
    const Wanted& wanted = selection.columns[i];
    Column& column = columns_.at(wanted.column);
    plain_ = plain_ && column.use == Use::none && !wanted.limits;
    column = {wanted.text ? Use::text : Use::number,
              wanted.may_be_missing,
              wanted.positive,
              wanted.not_negative,
              wanted.positive || wanted.not_negative || missing_numbers_,
              i};
  }
}

bool CsvRows::ends_line(const char* at) const {
  return at == end_ || *at == '\n' || (*at == '\r' && (at + 1 == end_ || at[1] == '\n'));
}

bool CsvRows::ends_field(const char* at) const {
  return at == end_ || *at == format_.delimiter || ends_line(at);
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
    if (ends_line(at_)) {  // a blank line
      if (*at_ == '\r') ++at_;
      if (at_ != end_) ++at_, ++line_;
      continue;
    }
    const std::uint64_t line = line_;
    const char* const end = plain_ ? fast_record(at_) : nullptr;
    if (end != nullptr) {
      at_ = end;
      keep_row();
      continue;
    }
    line_ = line;
    slow_record();
  }
  return line_;
}

const char* CsvRows::other_number(const char* at, const Column& column, double& slot) const {
  const char* end = plain_decimal(at, end_, format_.decimal, slot);
  if (end == nullptr) {
    if (column.may_be_missing && ends_field(at)) {  // an empty field
      slot = std::numeric_limits<double>::quiet_NaN();
      return at;
    }
    if (format_.decimal != '.') return nullptr;
    const auto [behind, error] = std::from_chars(at, end_, slot);
    if (error != std::errc{} || behind == at || !(std::abs(slot) < end_of_exact_integers)) return nullptr;
    end = behind;
  }
  if (!ends_field(end) || (column.positive && !(slot > 0)) || (column.not_negative && slot < 0))
    return nullptr;
  if (!missing_numbers_ || !judge_.means_missing(slot)) return end;
  slot = std::numeric_limits<double>::quiet_NaN();
  return column.may_be_missing ? end : nullptr;
}

/// Most numbers are short, and nothing is asked of them.
inline const char* CsvRows::fast_number(const char* at, const Column& column, double& slot) const {
#if defined(__SSE2__)
  if (end_ - at >= readable_at_once) {
    const char* const end = short_decimal(at, format_.decimal, slot);
    if (end != nullptr && (*end == format_.delimiter || *end == '\n') && !column.checked) return end;
  }
#endif
  return other_number(at, column, slot);
}

const char* CsvRows::fast_record(const char* at) {
  double* const row = table_->rows.next();
  const Column* column = columns_.data();
  for (const Column* const behind = column + columns_.size();; ++at) {
    at = column->use == Use::number ? fast_number(at, *column, row[column->wanted])
                                    : fast_text(at, *column, row);
    if (at == nullptr || ++column == behind) break;
    if (at == end_ || *at != format_.delimiter) return nullptr;
  }
  if (at == nullptr || !ends_line(at)) return nullptr;
  if (at != end_ && *at == '\r') ++at;
  if (at == end_) return at;
  ++line_;
  return at + 1;
}

/// Where an unquoted field ends.
const char* CsvRows::plain_text(const char* at, std::string_view& text) const {
  const char* const begin = at;
  const auto stops = [&](char c) { return c == format_.delimiter || c == '\n' || c == '\r' || c == '"'; };
  for (; end_ - at >= 8; at += 8) {
    const std::uint64_t bytes = eight_characters(at);
    const std::uint64_t marks = marks_of(bytes, static_cast<unsigned char>(format_.delimiter)) |
                                marks_of(bytes, '\n') | marks_of(bytes, '\r') | marks_of(bytes, '"');
    if (marks == 0) continue;
    at += std::countr_zero(marks) / 8;
    break;
  }
  while (at != end_ && !stops(*at)) ++at;
  text = {begin, static_cast<std::size_t>(at - begin)};
  if (!ends_field(at)) return nullptr;
  return !text.empty() && (is_blank(text.front()) || is_blank(text.back())) ? nullptr : at;
}

const char* CsvRows::quoted_text(const char* at, std::string_view& text) {
  const char* const begin = at + 1;
  const void* const quote = std::memchr(begin, '"', static_cast<std::size_t>(end_ - begin));
  if (quote == nullptr) return nullptr;
  const char* const end = static_cast<const char*>(quote);
  if (!ends_field(end + 1)) return nullptr;  // a doubled quote, or a mistake
  line_ += static_cast<std::uint64_t>(std::count(begin, end, '\n'));
  text = {begin, static_cast<std::size_t>(end - begin)};
  return end + 1;
}

/// Also passes over a field that nobody wants.
const char* CsvRows::fast_text(const char* at, const Column& column, double* row) {
  std::string_view text;
  at = at != end_ && *at == '"' ? quoted_text(at, text) : plain_text(at, text);
  return at == nullptr || column.use == Use::none || keep_text(text, column, row) ? at : nullptr;
}

/// False where the slow path has to look at it.
bool CsvRows::keep_text(std::string_view text, const Column& column, double* row) {
  double& slot = row[column.wanted];
  ShortTexts& judged = judged_[static_cast<std::size_t>(&column - columns_.data())];
  const auto key = ShortTexts::text_of(text, end_);
  if (const double* const known = key ? judged.find(*key) : nullptr) {
    slot = *known;
    return true;
  }
  if (format_.decimal != '.' && text.find_first_of(".,") != npos) return false;
  const std::uint64_t imputed = table_->imputed;
  if (judge_.take_text(column.wanted, text, slot).empty() && table_->imputed == imputed) {
    if (key) judged.keep(*key, slot);
    return true;
  }
  table_->imputed = imputed;
  return false;
}

void CsvRows::slow_record() {
  const auto begin = static_cast<std::size_t>(at_ - text_.data());
  CsvCursor cursor(text_.substr(begin), format_.delimiter, line_);
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
    if (std::string help = help_for(fields, bad); !help.empty()) error.help = std::move(help);
    throw error;
  }
  bad.row = table_->read++;
  table_->rejected.push_back(std::move(bad));
}

/// The way out where the signs of the file may be others than they were said to be.
std::string CsvRows::help_for(const std::vector<CsvField>& fields, const RejectedRow& bad) const {
  if (format_.decimal == '.' && has_decimal_comma(bad.value))
    return "is a comma the sign in front of the decimals? decimal: \",\"";
  if (names_->size() == 1 && bad.value.find_first_of(",;\t|") != npos)
    return fmt::format("is '{}' the right delimiter? The header is one column to it", format_.delimiter);
  const bool whole =
      std::all_of(fields.begin(), fields.end(), [](const CsvField& f) { return is_integer(f.raw); });
  if (bad.column.empty() && format_.delimiter == ',' && whole && fields.size() > names_->size())
    return "are decimals written with a comma (3,14)? Then fields need another delimiter, and decimal: \",\"";
  return "";
}

std::string CsvRows::judge_field(const CsvField& field, std::size_t wanted, double& slot) {
  const Wanted& as = selection_->columns[wanted];
  if (as.text) {
    const std::string text = field.text();
    const std::string pointed = with_decimal_point(text, format_.decimal);
    double number = 0;
    if (format_.decimal != '.' && as.maybe_number && pointed == text && text.find('.') != npos &&
        parse_number(text, number).empty())
      return "has a decimal point, and `decimal` is a comma";
    return judge_.take_text(wanted, pointed, slot);
  }
  double number = 0;
  if (format_.decimal == ',' && field.raw.find('.') != npos && parse_number(field.raw, number).empty())
    return judge_.refuse(wanted, "has a decimal point, and `decimal` is a comma", slot);
  if (format_.decimal == '.') return judge_.take_text(wanted, field.raw, slot);
  return judge_.take_text(wanted, with_decimal_point(field.raw, format_.decimal), slot);
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
    const std::string reason = judge_field(fields[column], i, row[i]);
    if (reason.empty() || column >= first) continue;
    first = column;
    bad.place = fields[column].place;
    bad.column = (*names_)[column];
    bad.value = fields[column].text();
    bad.reason = reason;
  }
  return first == npos;
}

}  // namespace kernmill::tasks
