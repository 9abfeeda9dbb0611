#pragma once
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "kernmill/run/journal/journal.hpp"
#include "kernmill/run/journal/run_view.hpp"
#include "kernmill/scheduler/cluster.hpp"
#include "kernmill/workflow/workflow.hpp"

namespace kernmill {

using TimePoint = std::chrono::system_clock::time_point;

/// What one attempt says of the node that it was made on.
struct NodeAttempt {
  enum class End : std::uint8_t {
    committed,
    failed,       ///< by itself: an error, or a stall
    node_failed,  ///< because of the node
  };
  std::string node, stage;
  unsigned instance = 0;
  End end = End::committed;
  TimePoint when{};
};
/// Those of a run that say something: on one node, which is known, and neither cancelled nor short of
/// memory or time.
std::vector<NodeAttempt> node_attempts(const RunRecord& record);
/// Those that make a difference.
std::vector<NodeAttempt> node_attempts(const RunView& view);

/// A node to be avoided.
struct BadNode {
  std::string node;
  std::string why;  ///< "fit[2] and fit[5] failed there and nowhere else"
  TimePoint until{};
};

/// The nodes on which, as it looks now, no attempt should be made. Pure. A node is bad for the time that
/// `policy` says
/// - after it has failed under an attempt, or
/// - after attempts of several instances of a stage have failed on it and on no other, none of that stage
///   has succeeded on it since, and one has on another node. (Else it may as well be the program.)
/// The newest failure comes first.
std::vector<BadNode> bad_nodes(const std::vector<NodeAttempt>& attempts, const BadNodes& policy,
                               TimePoint now);

/// One list of both, for each node what holds for longer; the newest first.
std::vector<BadNode> merged(std::vector<BadNode> some, const std::vector<BadNode>& others);

/// Which of the bad nodes a job leaves out.
struct Avoidance {
  std::string exclude;           ///< the job's own nodes to avoid, and these
  std::vector<BadNode> avoided;  ///< that the job did not avoid by itself
  std::vector<BadNode> needed;   ///< without which it could not run: they are not left out
};
/// As many as can be left out so that the job can still run, older failures being forgiven first. Nodes that
/// the cluster does not have, as far as it says what it has, and a job that names its nodes (--nodelist), are
/// left alone.
Avoidance avoid(const std::vector<BadNode>& bad, const Resources& asked, const Stage& stage,
                const ClusterFacts& facts);

/// "n3 until 13:05 UTC (fit[2] and fit[5] failed there and nowhere else)".
std::string to_text(const BadNode& bad);

}  // namespace kernmill
