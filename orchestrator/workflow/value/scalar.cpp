#include "kernmill/workflow/value/scalar.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <limits>
#include <optional>

namespace kernmill {
namespace {

bool one_of(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), text) != words.end();
}

std::size_t skip_digits(std::string_view text, std::size_t at) {
  while (at < text.size() && std::isdigit(static_cast<unsigned char>(text[at]))) ++at;
  return at;
}

std::optional<std::int64_t> integer_in_base(std::string_view digits, int base) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number, base);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return number;
}

std::optional<std::int64_t> integer(std::string_view text) {
  if (text.starts_with("0o") && text.size() > 2 && text[2] != '-') return integer_in_base(text.substr(2), 8);
  if (text.starts_with("0x") && text.size() > 2 && text[2] != '-') return integer_in_base(text.substr(2), 16);
  const std::string_view digits = text.starts_with('+') ? text.substr(1) : text;
  if (text.starts_with('+') && digits.starts_with('-')) return std::nullopt;
  return integer_in_base(digits, 10);
}

/// [-+]? ( .[0-9]+ | [0-9]+ (.[0-9]*)? ) ([eE][-+]?[0-9]+)?
bool has_shape_of_real(std::string_view text) {
  std::size_t at = !text.empty() && (text[0] == '-' || text[0] == '+') ? 1 : 0;
  const std::size_t whole = at;
  at = skip_digits(text, at);
  std::size_t digits = at - whole;
  if (at < text.size() && text[at] == '.') {
    const std::size_t fraction = at + 1;
    at = skip_digits(text, fraction);
    digits += at - fraction;
  }
  if (digits == 0) return false;
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    ++at;
    if (at < text.size() && (text[at] == '-' || text[at] == '+')) ++at;
    const std::size_t exponent = at;
    at = skip_digits(text, at);
    if (at == exponent) return false;
  }
  return at == text.size();
}

std::optional<double> real(std::string_view text) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  if (one_of(text, {".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"})) return infinity;
  if (one_of(text, {"-.inf", "-.Inf", "-.INF"})) return -infinity;
  if (one_of(text, {".nan", ".NaN", ".NAN"})) return std::numeric_limits<double>::quiet_NaN();
  if (!has_shape_of_real(text)) return std::nullopt;
  if (text.starts_with('+')) text.remove_prefix(1);
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc::result_out_of_range) {
    const bool tiny = text.find("e-") != std::string_view::npos || text.find("E-") != std::string_view::npos;
    return tiny ? 0.0 : text.starts_with('-') ? -infinity : infinity;
  }
  return number;
}

}  // namespace

decltype(Value::data) plain_scalar(std::string_view text) {
  if (one_of(text, {"", "~", "null", "Null", "NULL"})) return std::monostate{};
  if (one_of(text, {"true", "True", "TRUE"})) return true;
  if (one_of(text, {"false", "False", "FALSE"})) return false;
  if (const auto number = integer(text)) return *number;
  if (const auto number = real(text)) return *number;
  return std::string(text);
}

}  // namespace kernmill
