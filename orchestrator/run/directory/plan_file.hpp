#pragma once
#include <filesystem>
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

/// Writes a plan that has grown, or was changed, beside the one that it replaces. The caller holds the lock
/// of the run's conductor.
void write_next_plan(const RunDirectory& run, const Plan& plan);

/// 1: plan.json is the only one.
unsigned number_of_newest_plan(const RunDirectory& run);

/// The newest plan of the run: each was written when the one before it had been, and is whole.
std::filesystem::path newest_plan(const RunDirectory& run);

/// Reads the newest plan. Throws std::runtime_error that names the file, what is wrong with it and the way
/// out; std::system_error when it cannot be read.
PlanFile read_plan_file(const RunDirectory& run);

}  // namespace kernmill
