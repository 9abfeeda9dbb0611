#pragma once
#include <memory>
#include <optional>
#include <string>

#include "kernmill/cli/arguments.hpp"
#include "kernmill/plan/plan.hpp"
#include "kernmill/run/conductor/conductor_lock.hpp"
#include "kernmill/run/directory/run_directory.hpp"
#include "kernmill/run/journal/run_view.hpp"

/// A run goes on, perhaps with changes.
namespace kernmill::cli {

/// Adds --set, -p, --with, --with-code, --rerun-changed, --dry-run.
void add_change_options(boost::program_options::options_description& options);

struct GoingOn {
  Plan plan;                            ///< to go on with
  std::unique_ptr<ConductorLock> lock;  ///< of the run, where something of it has been changed
  bool changed = false;
  std::optional<int> exit = {};  ///< the exit status, where nothing is to follow
};

/// Says what has changed since the run was made, and makes the changes that the user asks for: durable, and
/// in an order in which a process that dies in between leaves a run that can be resumed. Throws UsageError
/// for what cannot be changed.
GoingOn going_on(const RunDirectory& run, Plan plan, const RunView& view, bool on_cluster,
                 const Arguments& arguments);

}  // namespace kernmill::cli
