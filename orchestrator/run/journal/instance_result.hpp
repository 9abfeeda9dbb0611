#pragma once
#include <functional>
#include <optional>
#include <vector>

#include "kernmill/plan/plan.hpp"
#include "kernmill/run/journal/journal.hpp"

namespace kernmill {

/// What an instance left for others.
struct InstanceResult {
  std::vector<Artifact> artifacts;
  Json metrics = Json::object();
};
/// The result of an instance, or nothing as long as it is not known.
using ResultOf = std::function<std::optional<InstanceResult>(InstanceId)>;

}  // namespace kernmill
