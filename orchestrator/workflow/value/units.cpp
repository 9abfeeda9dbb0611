#include "kernmill/workflow/value/units.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <string>
#include <vector>

#include "kernmill/workflow/value/scalar.hpp"

namespace kernmill {
namespace {

using std::chrono::seconds;
constexpr std::uint64_t largest_time = 100ull * 366 * 24 * 3600;

std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return result;
}

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (auto at = text.find(separator); at != std::string_view::npos; at = text.find(separator)) {
    parts.push_back(text.substr(0, at));
    text.remove_prefix(at + 1);
  }
  parts.push_back(text);
  return parts;
}

std::optional<seconds> bounded(std::uint64_t count) {
  if (count > largest_time) return std::nullopt;
  return seconds(static_cast<std::int64_t>(count));
}

std::optional<std::uint64_t> seconds_of(char unit) {
  switch (unit) {
    case 's':
      return 1;
    case 'm':
      return 60;
    case 'h':
      return 3600;
    case 'd':
      return 86400;
    default:
      return std::nullopt;
  }
}

/// 90m, 1h30m: numbers with units, each once, larger ones first.
std::optional<seconds> time_with_units(std::string_view text) {
  std::uint64_t total = 0, last_unit = largest_time;
  while (!text.empty()) {
    const auto end = text.find_first_not_of("0123456789");
    if (end == 0 || end == std::string_view::npos) return std::nullopt;
    const auto count = number(text.substr(0, end));
    const auto unit = seconds_of(text[end]);
    if (!count || !unit || *unit >= last_unit || *count > largest_time) return std::nullopt;
    total += *count * *unit;
    last_unit = *unit;
    text.remove_prefix(end + 1);
  }
  return bounded(total);
}

/// The fields between colons; all but the first are below 60.
std::optional<std::vector<std::uint64_t>> clock_fields(std::string_view text) {
  std::vector<std::uint64_t> fields;
  for (const std::string_view part : split(text, ':')) {
    const auto field = number(part);
    if (!field || *field > largest_time || (!fields.empty() && *field >= 60)) return std::nullopt;
    fields.push_back(*field);
  }
  if (fields.size() > 3) return std::nullopt;
  return fields;
}

/// minutes, MM:SS, HH:MM:SS
std::optional<seconds> clock_time(std::string_view text) {
  const auto fields = clock_fields(text);
  if (!fields) return std::nullopt;
  const auto& f = *fields;
  if (f.size() == 1) return bounded(f[0] * 60);
  if (f.size() == 2) return bounded(f[0] * 60 + f[1]);
  return bounded(f[0] * 3600 + f[1] * 60 + f[2]);
}

/// D-HH, D-HH:MM, D-HH:MM:SS
std::optional<seconds> day_time(std::string_view days, std::string_view rest) {
  const auto d = number(days);
  const auto fields = clock_fields(rest);
  if (!d || !fields || *d > largest_time || (*fields)[0] >= 24) return std::nullopt;
  std::uint64_t total = *d * 86400, unit = 3600;
  for (const std::uint64_t field : *fields) {
    total += field * unit;
    unit /= 60;
  }
  return bounded(total);
}

std::optional<int> positive(std::string_view text) {
  const auto value = number(text);
  if (!value || *value == 0 || *value > 1'000'000) return std::nullopt;
  return static_cast<int>(*value);
}

}  // namespace

std::optional<seconds> parse_time(std::string_view text) {
  const std::string word = lower(text);
  if (word == "unlimited" || word == "infinite") return seconds(0);
  if (word.find_first_of("smhd") != std::string::npos) return time_with_units(word);
  const auto dash = word.find('-');
  if (dash == std::string::npos) return clock_time(word);
  return day_time(std::string_view(word).substr(0, dash), std::string_view(word).substr(dash + 1));
}

std::optional<std::uint64_t> parse_memory(std::string_view text) {
  const std::string word = lower(text);
  const auto end = std::min(word.find_first_not_of("0123456789"), word.size());
  const auto count = number(std::string_view(word).substr(0, end));
  if (!count) return std::nullopt;
  const std::string_view given = std::string_view(word).substr(end);
  const std::string_view unit = given.empty() ? "m" : given;
  const auto power = std::string_view("kmgtp").find(unit[0]);
  if (power == std::string_view::npos) return std::nullopt;
  if (unit.size() > 1 && unit.substr(1) != "b" && unit.substr(1) != "ib") return std::nullopt;
  const unsigned shift = 10 * (static_cast<unsigned>(power) + 1);
  if (*count > (UINT64_MAX >> 1u) >> shift) return std::nullopt;
  return *count << shift;
}

std::string spell_time(seconds time) {
  auto rest = static_cast<std::uint64_t>(time.count());
  if (rest == 0) return "unlimited";
  std::string text;
  for (const char unit : {'d', 'h', 'm', 's'}) {
    const std::uint64_t count = rest / *seconds_of(unit);
    rest %= *seconds_of(unit);
    if (count > 0) text += std::to_string(count) + unit;
  }
  return text;
}

std::string spell_memory(std::uint64_t bytes) {
  constexpr std::uint64_t mega = 1u << 20u;
  if (bytes < mega) return std::to_string((bytes + 1023) / 1024) + "K";
  std::uint64_t count = bytes / mega;
  std::size_t unit = 0;
  for (; count % 1024 == 0 && unit < 2; ++unit) count /= 1024;
  return std::to_string(count) + "MGT"[unit];
}

std::string sbatch_time(seconds time) {
  return std::to_string(std::chrono::ceil<std::chrono::minutes>(time).count());
}

std::string sbatch_memory(std::uint64_t bytes) {
  constexpr std::uint64_t mega = 1u << 20u;
  return std::to_string((bytes + mega - 1) / mega) + "M";
}

std::optional<std::pair<int, int>> parse_node_range(std::string_view text) {
  const auto parts = split(text, '-');
  const auto low = positive(parts.front());
  const auto high = positive(parts.back());
  if (parts.size() > 2 || !low || !high || *low > *high) return std::nullopt;
  return std::pair(*low, *high);
}

bool is_gpu_request(std::string_view text) {
  const auto parts = split(text, ',');
  return std::all_of(parts.begin(), parts.end(), [](std::string_view part) {
    const auto colon = part.rfind(':');
    const std::string_view count = colon == std::string_view::npos ? part : part.substr(colon + 1);
    return number(count).has_value() && colon != 0;
  });
}

std::optional<double> parse_factor(std::string_view text) {
  const auto data = plain_scalar(text.starts_with('x') ? text.substr(1) : text);
  double factor = 0;
  if (const auto* whole = std::get_if<std::int64_t>(&data)) factor = static_cast<double>(*whole);
  if (const auto* real = std::get_if<double>(&data)) factor = *real;
  if (!std::isfinite(factor) || factor < 1) return std::nullopt;
  return factor;
}

}  // namespace kernmill
