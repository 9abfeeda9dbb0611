#pragma once
#include "kernmill/plan/job_plan.hpp"

namespace kernmill {

/// How many instances go into an element, and how many of them run side by side.
struct Packing {
  std::uint32_t pack = 1;
  std::uint32_t slots = 1;
};

/// What the stage's `pack` means for `count` instances that ask for `resources` each.
Packing packing_of(const Stage& stage, const Resources& resources, std::uint32_t count,
                   const JobPlanOptions& options);

/// What an element asks for that runs such instances: the cores, memory and GPUs of all its slots on one
/// node, and the time that they take one after another.
Resources for_pack(const Resources& resources, const Packing& packing);

}  // namespace kernmill
