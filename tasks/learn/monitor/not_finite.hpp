#pragma once
#include <span>
#include <string>

#include "kernmill/tasks/models/network/network.hpp"

namespace kernmill::tasks {

/// The first layer of which a value is no finite number: "its layer 2 (64 -> 10) has weights that are not
/// finite", else the same of its gradient; else that the values within were. `gradient` lies as the
/// parameters do; it may be shorter, or empty, where it is not known.
std::string first_not_finite(std::span<const Network::Layer> layers, std::span<const double> parameters,
                             std::span<const double> gradient);

}  // namespace kernmill::tasks
