#include "kernmill/scheduler/cluster.hpp"

namespace kernmill {

std::string_view to_string(JobState state) {
  switch (state) {
    case JobState::pending:
      return "pending";
    case JobState::running:
      return "running";
    case JobState::suspended:
      return "suspended";
    case JobState::completing:
      return "completing";
    case JobState::completed:
      return "completed";
    case JobState::failed:
      return "failed";
    case JobState::cancelled:
      return "cancelled";
    case JobState::timeout:
      return "timeout";
    case JobState::node_fail:
      return "node_fail";
    case JobState::preempted:
      return "preempted";
    case JobState::out_of_memory:
      return "out_of_memory";
  }
  return "unknown";
}

bool is_live(JobState state) {
  switch (state) {
    case JobState::pending:
    case JobState::running:
    case JobState::suspended:
    case JobState::completing:
      return true;
    default:
      return false;
  }
}

}  // namespace kernmill
