#pragma once
#include <chrono>
#include <cstdint>
#include <string>

#include "kernmill/plan/plan.hpp"
#include "kernmill/run/journal/journal.hpp"

namespace kernmill {

/// What an attempt was allowed to use.
struct AttemptLimits {
  std::uint64_t mem = 0;         ///< bytes of a node; 0: no limit that is known
  std::chrono::seconds time{0};  ///< 0: none
  bool mem_by_cpu = false;       ///< `mem` was asked for by processor core: as mem_per_cpu
};

/// Those of the attempt at that place in the list: what its stage asks for, times what earlier ones ended
/// with.
AttemptLimits limits_of(const Plan& plan, InstanceId id, const InstanceRecord& known, std::size_t attempt);

/// What to do about an instance whose last attempt met a limit: which one, how much it had used of it, and
/// what to type. Empty: it has met none, or nothing is known to help.
std::string remedy(const std::string& run, const Plan& plan, InstanceId id, const InstanceRecord& known);

}  // namespace kernmill
