#pragma once
#include <string>
#include <vector>

#include "kernmill/run/submit/submitted_array.hpp"

namespace kernmill::exec {

/// What is to be done in the batch system once an instance has settled.
struct Consequences {
  struct Skip {
    InstanceId id;
    std::string why;
  };
  std::vector<Skip> skipped;           ///< whose `when` is known to be false now: to be journalled
  std::vector<std::string> cancelled;  ///< jobs that have nothing to do any more: "12", "12_[3-5,9]"
};

/// What follows from the end of one instance (or of several, those of a pack): elements all of whose
/// instances are blocked or skipped now, and were not before; with `fail_fast` and one of them failed,
/// everything that has not begun. Pure. `record` may know less than the whole journal: then less follows.
Consequences consequences(const Plan& plan, const RunRecord& record, const std::vector<InstanceId>& settled,
                          bool fail_fast = false);

/// Journals the instances that are skipped.
void journal_skips(const Plan& plan, const Consequences& consequences, JournalWriter& journal);

/// Whether stages with a `when` wait for this one.
bool has_gated_children(const Plan& plan, std::uint32_t stage);

}  // namespace kernmill::exec
