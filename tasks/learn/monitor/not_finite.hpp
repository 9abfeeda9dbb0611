#pragma once
#include <span>
#include <string>
#include <vector>

#include "kernmill/tasks/models/network/network.hpp"

namespace kernmill::tasks {

/// The first layer of which a value is no finite number: "its layer 2 (64 -> 10) has weights that are not
/// finite", else the same of its gradient; else that the values within were. `gradient` is a
/// part of it, from parameter `gradient_begin` on; it may be empty, where it is not known.
std::string first_not_finite(std::span<const LayerExtent> layers, const std::vector<double>& parameters,
                             std::size_t gradient_begin, const std::vector<double>& gradient);

}  // namespace kernmill::tasks
