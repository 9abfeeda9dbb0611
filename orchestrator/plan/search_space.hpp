#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "kernmill/workflow/value/value.hpp"

namespace kernmill {

/// The trials of a tune stage, by number: what its `space` and `strategy` mean. `space` is in canonical form,
/// {"dotted.name": {"type": "choice", "values": [...]} | {"type": "uniform" | "log_uniform" | "int_uniform",
/// "low", "high", "points"}}.
///
/// grid: the cross product in the order in which the parameters are declared, the last varying fastest;
/// `points` values of an interval, evenly spaced (by logarithm for log_uniform), both ends included.
/// random: each value follows from the seed, the trial's number and the parameter's name alone, so that
/// adding a parameter or a trial changes no other value. Reals are rounded to 15 significant digits: they
/// read as people write them (0.01, not 0.010000000000000002) and do not depend on the last bit of a
/// machine's logarithm.
class SearchSpace {
 public:
  /// Throws std::invalid_argument for what the parser would not have let through (a grid over an interval
  /// without points).
  SearchSpace(const Json& space, const Json& strategy);

  [[nodiscard]] std::uint32_t trials() const { return trials_; }
  /// {"dotted.name": value, ...}
  [[nodiscard]] Json point(std::uint32_t trial) const;

 private:
  struct Parameter {
    std::string name;
    Json domain;
    std::vector<Json> grid;  ///< its values, for the grid strategy
  };
  [[nodiscard]] Json grid_point(std::uint32_t trial) const;
  [[nodiscard]] Json random_value(const Parameter& parameter, std::uint32_t trial) const;

  std::vector<Parameter> parameters_;
  bool random_ = false;
  std::uint64_t seed_ = 0;
  std::uint32_t trials_ = 0;
};

/// `config` with each value of `point` at its dotted name.
Json with_point(Json config, const Json& point);

}  // namespace kernmill
