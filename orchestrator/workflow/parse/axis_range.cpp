#include "kernmill/workflow/parse/axis_range.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>

#include <fmt/format.h>

namespace kernmill {
namespace {

constexpr int most_digits = 17;  // so that what is added up fits into 64 bits

/// A number as it is written: digits * 10^-scale.
struct Decimal {
  std::int64_t digits = 0;
  int scale = 0;
};

bool is_number_value(const Value& value) {
  return std::holds_alternative<std::int64_t>(value.data) || std::holds_alternative<double>(value.data);
}

/// What is behind `e` in 1e-3, taken off the text; nothing when it is too large to be meant.
std::optional<int> take_exponent(std::string& text) {
  const std::size_t at = text.find_first_of("eE");
  if (at == std::string::npos) return 0;
  const std::string exponent = text.substr(at + 1);
  text.resize(at);
  if (exponent.empty() || exponent.size() > 4) return {};
  return std::stoi(exponent);
}

/// Nothing for what is no decimal of few digits (.inf, 0x1F, 1e300).
std::optional<Decimal> decimal(const Value& value) {
  std::string text = value.text;
  if (!is_number_value(value) || text.find_first_not_of("0123456789+-.eE") != std::string::npos) return {};
  const auto exponent = take_exponent(text);
  if (!exponent) return {};
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.erase(0, 1);
  Decimal result{0, -*exponent};
  if (const std::size_t point = text.find('.'); point != std::string::npos) {
    result.scale += static_cast<int>(text.size() - point - 1);
    text.erase(point, 1);
  }
  text.erase(0, std::min(text.find_first_not_of('0'), text.size()));
  if (text.size() > most_digits) return {};
  result.digits = text.empty() ? 0 : std::stoll(text);
  if (negative) result.digits = -result.digits;
  return result;
}

bool bring_to_scale(Decimal& number, int scale) {
  for (; number.scale < scale; ++number.scale) {
    if (std::abs(number.digits) > INT64_MAX / 100) return number.digits == 0;
    number.digits *= 10;
  }
  return true;
}

std::string spelled_decimal(std::int64_t digits, int scale) {
  std::string text = std::to_string(std::abs(digits));
  if (scale > 0) {
    const auto places = static_cast<std::size_t>(scale);
    if (text.size() <= places) text.insert(0, places + 1 - text.size(), '0');
    text.insert(text.size() - places, ".");
  }
  return digits < 0 ? "-" + text : text;
}

std::vector<Decimal> decimals(const std::vector<const Value*>& ends) {
  std::vector<Decimal> numbers;
  for (const Value* end : ends)
    if (const auto number = decimal(*end)) numbers.push_back(*number);
  return numbers;
}

/// As many places for all of them.
std::optional<int> common_scale(std::vector<Decimal>& numbers) {
  int scale = 0;
  for (const Decimal& number : numbers) scale = std::max(scale, number.scale);
  for (Decimal& number : numbers)
    if (scale > most_digits || !bring_to_scale(number, scale)) return {};
  return scale;
}

}  // namespace

RangeNumbers range_numbers(const std::vector<const Value*>& ends, std::size_t most) {
  std::vector<Decimal> numbers = decimals(ends);
  if (numbers.size() != ends.size() || ends.empty() || ends.size() > 3)
    return {{}, "'range' takes one to three numbers: stop; start, stop; or start, stop, step"};
  if (numbers.size() == 1) numbers.insert(numbers.begin(), Decimal{});
  if (numbers.size() == 2) numbers.push_back({1, 0});
  const auto scale = common_scale(numbers);
  if (!scale) return {{}, "the numbers of this range have too many digits"};
  const auto [start, stop, step] = std::tuple(numbers[0].digits, numbers[1].digits, numbers[2].digits);
  if (step == 0) return {{}, "a range takes no steps of 0"};
  if (step > 0 ? start >= stop : start <= stop)
    return {{}, "this range is empty: it ends before its first number"};
  const auto width = static_cast<std::uint64_t>(step > 0 ? stop - start : start - stop);
  const auto stride = static_cast<std::uint64_t>(std::abs(step));
  const std::uint64_t count = (width - 1) / stride + 1;
  if (count > most)
    return {{}, fmt::format("this range has {} numbers; an axis has {} at most", count, most)};
  RangeNumbers result;
  result.texts.reserve(count);
  for (std::uint64_t i = 0; i < count; ++i)
    result.texts.push_back(spelled_decimal(start + static_cast<std::int64_t>(i) * step, *scale));
  return result;
}

}  // namespace kernmill
