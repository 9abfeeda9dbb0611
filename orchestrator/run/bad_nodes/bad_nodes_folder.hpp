#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "kernmill/plan/job_plan.hpp"
#include "kernmill/run/bad_nodes/bad_nodes.hpp"
#include "kernmill/run/directory/run_directory.hpp"

namespace kernmill {

/// Where a user's runs tell each other of bad nodes: `$XDG_STATE_HOME/kernmill/bad-nodes`, else in
/// ~/.local/state. Each run writes a file of its own there, whole, so that no two disturb each other.
std::filesystem::path bad_nodes_folder(const std::string& xdg_state_home, const std::string& home);

/// What the runs on a cluster have said that holds still. Files that say nothing any more are removed; one
/// that cannot be read says nothing.
std::vector<BadNode> read_bad_nodes(const std::filesystem::path& folder, const std::string& cluster,
                                    TimePoint now);

/// Says what a run knows, in place of what it said before. Throws std::system_error that names the file.
void write_bad_nodes(const std::filesystem::path& folder, const std::string& run, const std::string& cluster,
                     const std::vector<BadNode>& bad);

/// Where bad nodes are remembered beside the run's own journal, and when it is now.
struct BadNodesContext {
  std::filesystem::path folder;  ///< of the user; used only where the workflow says so, and one is known
  TimePoint now = std::chrono::system_clock::now();
};

/// Those that a run's jobs should avoid now: its own, and those of the user's other runs where the workflow
/// says `keep: user`. Its own are told to those others then; that this cannot be done is no error.
std::vector<BadNode> known_bad_nodes(const RunDirectory& run, const Workflow& workflow,
                                     const RunRecord& record, const std::string& cluster,
                                     const BadNodesContext& context);

/// Makes arrays avoid them. A line for people for each node that is left out, or cannot be.
std::vector<std::string> avoid_in(std::vector<ArrayPlan>& arrays, const std::vector<BadNode>& bad,
                                  const Plan& plan, const ClusterFacts& facts);

}  // namespace kernmill
