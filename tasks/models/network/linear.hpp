#pragma once
#include <cstdint>
#include <vector>

#include "kernmill/tasks/models/network/network.hpp"
#include "kernmill/tasks/models/settings.hpp"

/// What linear models have in common.
namespace kernmill::tasks {

/// `l2` and `regularize_bias`. Throws SpecError.
void read_linear_settings(const Json& model, ModelSettings& settings);

/// Where training starts: `init`, or zeros. Throws TaskError when `init` holds another count of numbers.
std::vector<double> linear_start(const ModelSettings& settings, const Network& network, std::uint64_t seed);

}  // namespace kernmill::tasks
