#include "kernmill/plan/search_space.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <stdexcept>

#include "kernmill/plan/philox.hpp"

namespace kernmill {
namespace {

constexpr std::int64_t most_points = 10'000'000;

double round_to_12_digits(double value) {
  std::array<char, 64> text{};
  const auto end =
      std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::general, 12);
  std::from_chars(text.data(), end.ptr, value);
  return value;
}

/// The value at `share` (0 to 1) of an interval of reals.
double real_at(const Json& domain, double share) {
  const double low = domain.at("low").get<double>();
  const double high = domain.at("high").get<double>();
  if (share == 0) return low;
  if (share == 1) return high;
  const bool log = domain.at("type") == "log_uniform";
  const double value = log ? std::pow(10, std::log10(low) + share * (std::log10(high) - std::log10(low)))
                           : low + share * (high - low);
  return std::clamp(round_to_12_digits(value), low, high);
}

std::vector<Json> grid_integers(const Json& domain) {
  const auto low = domain.at("low").get<std::int64_t>();
  const auto high = domain.at("high").get<std::int64_t>();
  std::int64_t count = 0;
  if (high < low || __builtin_sub_overflow(high, low, &count) || __builtin_add_overflow(count, 1, &count))
    throw std::invalid_argument("an interval of a grid has no end");
  const std::int64_t points = std::min(count, domain.value("points", count));
  if (points < 1 || points > most_points) throw std::invalid_argument("a grid has too many points");
  std::vector<Json> values;
  values.reserve(static_cast<std::size_t>(points));
  for (std::int64_t p = 0; p < points; ++p)
    values.emplace_back(points == 1
                            ? low
                            : low + std::llround(static_cast<double>(p) * static_cast<double>(count - 1) /
                                                 static_cast<double>(points - 1)));
  return values;
}

std::vector<Json> grid_reals(const std::string& name, const Json& domain) {
  const int points = domain.value("points", 0);
  if (points < 1 || points > most_points)
    throw std::invalid_argument("a grid over the interval of " + name + " needs `points`");
  std::vector<Json> values;
  values.reserve(static_cast<std::size_t>(points));
  for (int p = 0; p < points; ++p)
    values.emplace_back(real_at(domain, points == 1 ? 0.5 : static_cast<double>(p) / (points - 1)));
  return values;
}

std::vector<Json> grid_values(const std::string& name, const Json& domain) {
  if (domain.at("type") == "choice") return domain.at("values").get<std::vector<Json>>();
  return domain.at("type") == "int_uniform" ? grid_integers(domain) : grid_reals(name, domain);
}

/// FNV-1a: names become counters in a way that never changes.
std::uint64_t hash(const std::string& name) {
  std::uint64_t value = 0xcbf29ce484222325;
  for (const char c : name) value = (value ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return value;
}

std::uint64_t random_bits(std::uint64_t seed, std::uint32_t trial, const std::string& name) {
  const std::uint64_t key = hash(name);
  const auto words =
      philox({trial, 0, static_cast<std::uint32_t>(key), static_cast<std::uint32_t>(key >> 32)},
             {static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)});
  return std::uint64_t{words[0]} << 32 | words[1];
}

Json random_integer(const Json& domain, std::uint64_t bits) {
  const auto low = domain.at("low").get<std::int64_t>();
  const auto high = domain.at("high").get<std::int64_t>();
  const std::uint64_t count = static_cast<std::uint64_t>(high) - static_cast<std::uint64_t>(low) + 1;
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(low) + (count == 0 ? bits : bits % count));
}

}  // namespace

SearchSpace::SearchSpace(const Json& space, const Json& strategy) : random_(strategy.at("type") == "random") {
  for (const auto& [name, domain] : space.items())
    parameters_.push_back({name, domain, random_ ? std::vector<Json>{} : grid_values(name, domain)});
  if (random_) {
    trials_ = strategy.at("trials").get<std::uint32_t>();
    seed_ = strategy.at("seed").get<std::uint64_t>();
    return;
  }
  std::uint64_t trials = 1;
  for (const Parameter& parameter : parameters_) {
    trials *= parameter.grid.size();
    if (trials >= std::numeric_limits<std::uint32_t>::max())
      throw std::length_error("a tune stage may have 4294967294 trials at most");
  }
  trials_ = static_cast<std::uint32_t>(trials);
}

Json SearchSpace::point(std::uint32_t trial) const {
  if (!random_) return grid_point(trial);
  Json result = Json::object();
  for (const Parameter& parameter : parameters_) result[parameter.name] = random_value(parameter, trial);
  return result;
}

Json SearchSpace::grid_point(std::uint32_t trial) const {
  std::vector<std::size_t> places(parameters_.size());
  std::size_t rest = trial;
  for (std::size_t p = parameters_.size(); p-- > 0;) {
    places[p] = rest % parameters_[p].grid.size();
    rest /= parameters_[p].grid.size();
  }
  Json result = Json::object();
  for (std::size_t p = 0; p < places.size(); ++p)
    result[parameters_[p].name] = parameters_[p].grid[places[p]];
  return result;
}

Json SearchSpace::random_value(const Parameter& parameter, std::uint32_t trial) const {
  const Json& domain = parameter.domain;
  const std::uint64_t bits = random_bits(seed_, trial, parameter.name);
  if (domain.at("type") == "choice") return domain.at("values").at(bits % domain.at("values").size());
  if (domain.at("type") == "int_uniform") return random_integer(domain, bits);
  return real_at(domain, static_cast<double>(bits >> 11) * 0x1p-53);  // 53 bits: exact in a double
}

Json with_point(Json config, const Json& point) {
  for (const auto& [name, value] : point.items()) {
    Json* place = &config;
    std::size_t begin = 0;
    for (std::size_t dot; (dot = name.find('.', begin)) != std::string::npos; begin = dot + 1)
      place = &(*place)[name.substr(begin, dot - begin)];
    (*place)[name.substr(begin)] = value;
  }
  return config;
}

}  // namespace kernmill
