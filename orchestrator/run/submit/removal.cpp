#include "kernmill/run/submit/removal.hpp"

#include <set>

#include <fmt/format.h>

#include "kernmill/base/counted.hpp"
#include "kernmill/run/conductor/conductor_lock.hpp"
#include "kernmill/run/submit/generation.hpp"
#include "kernmill/run/submit/settling.hpp"

namespace kernmill {
namespace {

constexpr const char* is_conducted = "it is running";

std::string first_line_of(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

/// Why jobs are in the way.
std::string jobs_in_the_way(const RunDirectory& run, const OpenedCluster& cluster) {
  const RunRecord record = fold_journal(run.journal());
  if (!was_submitted(run, record)) return {};
  for (const auto& [number, generation] : record.generations)
    if (!generation.accepted && !generation.rolled_back)
      return fmt::format(
          "a submission of it ended halfway, and a job may be on its way (kernmill cancel {} settles it)",
          run.name());
  std::set<std::string> ids;
  try {
    for (const auto& [identity, job] : live_jobs(run, cluster().jobs())) ids.insert(job.id);
  } catch (const ClusterError& error) {
    return fmt::format("it was submitted, and the cluster does not say whether jobs of it are left: {}",
                       first_line_of(error.what()));
  }
  if (ids.empty()) return {};
  return fmt::format("{} of it {} in the queue or running (kernmill cancel {} ends them)",
                     counted(ids.size(), "job"), ids.size() == 1 ? "is" : "are", run.name());
}

}  // namespace

std::string why_it_stays(const RunDirectory& run, const OpenedCluster& cluster) {
  if (lock_holder(run.lock())) return is_conducted;
  return jobs_in_the_way(run, cluster);
}

std::string remove_run(const RunDirectory& run, const ProcessIdentity& self, const OpenedCluster& cluster) {
  try {
    const ConductorLock lock(run.lock(), self, ConductorLock::Purpose::settle);
    if (std::string why = jobs_in_the_way(run, cluster); !why.empty()) return why;
    // The plan goes first: what is left by a removal that was cut short cannot be taken for a run to resume.
    std::filesystem::remove(run.plan());
    std::filesystem::remove_all(run.root());
  } catch (const RunIsLocked&) {
    return is_conducted;
  }
  return {};
}

}  // namespace kernmill
