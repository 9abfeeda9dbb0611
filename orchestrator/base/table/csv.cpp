#include "kernmill/base/table/csv.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace kernmill {
namespace {

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

bool continues_character(char c) {
  return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U;
}

bool equals_ignoring_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return (x | 0x20) == (y | 0x20); });
}

bool names_no_number(std::string_view text) {
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) text.remove_prefix(1);
  return std::ranges::any_of(std::initializer_list<std::string_view>{"nan", "inf", "infinity", "na"},
                             [&](std::string_view name) { return equals_ignoring_case(text, name); });
}

}  // namespace

std::string CsvField::text() const {
  if (!quoted) return std::string(trimmed(raw));
  std::string plain;
  for (std::size_t i = 0; i < raw.size(); ++i) {
    plain += raw[i];
    if (raw[i] == '"') ++i;
  }
  return plain;
}

bool CsvCursor::at_line_end() const {
  return at_end() || text_[at_] == '\n' ||
         (text_[at_] == '\r' && (at_ + 1 == text_.size() || text_[at_ + 1] == '\n'));
}

void CsvCursor::step() {
  const char c = text_[at_++];
  if (c == '\n')
    place_ = {place_.line + 1, 1};
  else if (at_ >= text_.size() || !continues_character(text_[at_]))
    ++place_.column;
}

void CsvCursor::skip_line_end() {
  if (!at_end() && text_[at_] == '\r') step();
  if (!at_end() && text_[at_] == '\n') step();
}

void CsvCursor::skip_blank_lines() {
  while (!at_end() && at_line_end()) skip_line_end();
}

bool CsvCursor::next(std::vector<CsvField>& record) {
  record.clear();
  skip_blank_lines();
  if (at_end()) return false;
  while (true) {
    record.push_back(field());
    if (at_line_end()) break;
    step();  // the delimiter
  }
  skip_line_end();
  return true;
}

CsvField CsvCursor::field() {
  if (!at_end() && text_[at_] == '"') return quoted_field();
  const CsvPlace place = place_;
  const std::size_t begin = at_;
  while (!at_line_end() && text_[at_] != delimiter_) {
    if (text_[at_] == '"') throw CsvError("a quote inside a field that does not begin with one", place_);
    step();
  }
  return {text_.substr(begin, at_ - begin), false, place};
}

CsvField CsvCursor::quoted_field() {
  const CsvPlace place = place_;
  step();
  const std::size_t begin = at_;
  while (true) {
    if (at_end()) throw CsvError("a quoted field that is never closed", place);
    if (text_[at_] == '"' && (at_ + 1 >= text_.size() || text_[at_ + 1] != '"')) break;
    if (text_[at_] == '"') step();
    step();
  }
  const std::string_view raw = text_.substr(begin, at_ - begin);
  step();
  if (!at_line_end() && text_[at_] != delimiter_) throw CsvError("text after a quoted field", place_);
  return {raw, true, place};
}

std::size_t end_of_record(std::string_view text, bool& in_quotes) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '"') in_quotes = !in_quotes;
    if (text[i] == '\n' && !in_quotes) return i + 1;
  }
  return std::string_view::npos;
}

std::string csv_field(std::string_view text) {
  const bool plain = text.find_first_of("\",\r\n") == std::string_view::npos && !text.starts_with(' ') &&
                     !text.ends_with(' ');
  if (plain) return std::string(text);
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + '"';
}

bool is_utf8(std::string_view text) {
  const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  for (std::size_t i = 0; i < text.size();) {
    const unsigned first = byte(i), second = byte(i + 1);
    std::size_t length = 1;
    if (first >= 0x80) {
      length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
      const unsigned lowest = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
      const unsigned highest = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
      if (first < 0xC2 || first > 0xF4 || second < lowest || second > highest) return false;
      for (std::size_t k = 2; k < length; ++k)
        if ((byte(i + k) & 0xC0U) != 0x80) return false;
    }
    i += length;
  }
  return true;
}

std::string parse_number(std::string_view text, double& value) {
  text = trimmed(text);
  if (text.empty()) return "is empty";
  if (names_no_number(text)) return "is not a finite number";
  std::string_view digits = text;
  if (digits[0] == '+' && digits.size() > 1 && digits[1] != '-') digits.remove_prefix(1);
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error == std::errc::result_out_of_range && end == digits.data() + digits.size())
    return "is beyond the range of a double";
  if (error != std::errc{} || end != digits.data() + digits.size()) return "is not a number";
  return std::isfinite(value) ? "" : "is not a finite number";
}

}  // namespace kernmill
