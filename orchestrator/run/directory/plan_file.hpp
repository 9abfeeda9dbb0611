#pragma once
#include <string>

#include "kernmill/plan/plan.hpp"
#include "kernmill/run/directory/run_directory.hpp"

namespace kernmill {

/// What plan.json of a run says.
struct PlanFile {
  Plan plan;
  std::string launcher;  ///< a template for what starts ranks; may be empty
};

/// Writes plan.json durably. Its last member is a checksum of all text before it.
void write_plan_file(const RunDirectory& run, const Plan& plan);

/// Throws std::runtime_error that names the file, what is wrong with it and the way out; std::system_error
/// when it cannot be read.
PlanFile read_plan_file(const RunDirectory& run);

}  // namespace kernmill
