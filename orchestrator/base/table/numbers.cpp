#include "kernmill/base/table/numbers.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>

#include <fmt/format.h>

#include "kernmill/base/table/csv.hpp"

namespace kernmill {
namespace {

bool is_digit_character(char c) {
  return c >= '0' && c <= '9';
}

std::string_view without_sign(std::string_view text) {
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) text.remove_prefix(1);
  return text;
}

std::string_view without_blanks(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

/// "007" and "01.5" are codes.
bool has_leading_zero(std::string_view text) {
  const std::string_view digits = without_sign(text);
  return digits.size() > 1 && digits[0] == '0' && is_digit_character(digits[1]);
}

bool may_be_number(std::string_view text) {
  const std::string_view digits = without_sign(text);
  return !digits.empty() && (is_digit_character(digits[0]) || digits[0] == '.') && !has_leading_zero(text);
}

}  // namespace

bool is_integer(std::string_view text) {
  const std::string_view digits = without_sign(text);
  return !digits.empty() && std::all_of(digits.begin(), digits.end(), is_digit_character);
}

bool has_decimal_comma(std::string_view text) {
  double value = 0;
  const auto comma = text.find(',');
  if (comma == std::string_view::npos || text.find('.') != std::string_view::npos) return false;
  std::string pointed(text);
  pointed[comma] = '.';
  return parse_number(pointed, value).empty();
}

std::string with_decimal_point(std::string_view text, char decimal) {
  std::string pointed(text);
  if (decimal == ',' && has_decimal_comma(text)) pointed[text.find(',')] = '.';
  return pointed;
}

std::string shortest_integer(std::string_view integer) {
  std::string_view digits = without_sign(integer);
  digits.remove_prefix(std::min(digits.find_first_not_of('0'), digits.size() - 1));
  return (integer[0] == '-' && digits != "0" ? "-" : "") + std::string(digits);
}

std::string parse_exact_number(std::string_view text, double& value) {
  std::string reason = parse_number(text, value);
  if (!reason.empty() || std::abs(value) < end_of_exact_integers) return reason;
  const std::string_view plain = without_blanks(text);
  if (!is_integer(plain) || fmt::format("{:.0f}", value) == shortest_integer(plain)) return "";
  return "is a whole number of 2^53 or more that a double does not hold";
}

std::string name_key(std::string_view text) {
  double value = 0;
  if (!may_be_number(text) || !parse_number(text, value).empty()) return std::string(text);
  if (is_integer(text)) return shortest_integer(text);
  if (std::abs(value) >= end_of_exact_integers) return std::string(text);
  if (value == std::floor(value)) return fmt::format("{}", static_cast<std::int64_t>(value));
  return fmt::format("{}", value);
}

}  // namespace kernmill
