#pragma once
#include <string>
#include <vector>

#include "kernmill/plan/plan.hpp"

namespace kernmill {

/// A stage whose instances another one reads all together, as a table of what each has left.
struct Gathering {
  std::uint32_t stage = 0;
  std::vector<std::string> artifacts;  ///< that are asked for; empty: all
  [[nodiscard]] bool wants(const std::string& artifact) const;
};

/// What the stage gathers, a stage once each, in the order of its inputs.
std::vector<Gathering> gatherings_of(const Plan& plan, std::uint32_t stage);
bool gathers(const Plan& plan, std::uint32_t stage, std::uint32_t parent);

}  // namespace kernmill
