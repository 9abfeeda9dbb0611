#pragma once
#include <cstdint>

#include "kernmill/plan/plan.hpp"

namespace kernmill {

/// An instance that a pack has still to run.
struct PackedInstance {
  std::uint32_t index = 0;
  unsigned attempt = 1;         ///< the number of its next attempt
  int failures = 0;             ///< that count against its retries
  bool out_of_memory = false;   ///< its last attempt was: this one has the pack's memory to itself
  bool started_before = false;  ///< an earlier attempt had
  double time = 1.0;            ///< its limit, times what the plan says
};

Json to_json(const PackedInstance& instance);
/// Throws Json::exception when it is none.
PackedInstance packed_instance_from_json(const Json& json);

}  // namespace kernmill
