#pragma once
#include <cstdint>
#include <vector>

#include "kernmill/plan/plan.hpp"

namespace kernmill {

/// What some instances of a stage ask for, all of them the same.
struct ResourceSet {
  Json values = Json::object();  ///< of the matrix's axes that the resources refer to
  Resources resources;
  std::uint64_t instances = 0;
  bool reduce = false;  ///< of the instance that ends a tune stage
};

/// The different resources that instances of a stage ask for, without looking at each instance: a million
/// instances whose resources refer to one axis of three values are three sets.
std::vector<ResourceSet> resource_sets(const Plan& plan, std::uint32_t stage);

}  // namespace kernmill
