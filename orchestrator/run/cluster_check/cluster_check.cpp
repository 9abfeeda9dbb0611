#include "kernmill/run/cluster_check/cluster_check.hpp"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "kernmill/plan/packing.hpp"
#include "kernmill/run/cluster_check/cluster_capacity.hpp"
#include "kernmill/run/cluster_check/cluster_findings.hpp"
#include "kernmill/run/cluster_check/slurm_notation.hpp"
#include "kernmill/workflow/value/units.hpp"

namespace kernmill {
namespace cluster_check {
namespace {

using Partition = ClusterFacts::Partition;
using Names = std::vector<std::string>;

bool contains(const Names& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

Names split(const std::string& list) {
  Names names;
  for (std::size_t begin = 0; begin <= list.size();) {
    const std::size_t end = std::min(list.find(',', begin), list.size());
    if (end > begin) names.push_back(list.substr(begin, end - begin));
    begin = end + 1;
  }
  return names;
}

Names names_of(const std::vector<Partition>& partitions) {
  Names names;
  for (const Partition& partition : partitions) names.push_back(partition.name);
  return names;
}

/// Those that are asked for, or the default one; empty when there is nothing to check the rest against.
Partitions partitions_of(const Resources& asked, const ClusterFacts& facts, Findings& findings) {
  Partitions found;
  for (const std::string& name : split(asked.partition)) {
    const auto known = std::find_if(facts.partitions.begin(), facts.partitions.end(),
                                    [&](const Partition& partition) { return partition.name == name; });
    if (known != facts.partitions.end())
      found.list.push_back(&*known);
    else
      findings.error("partition", fmt::format("there is no partition '{}'", name),
                     suggestion(name, names_of(facts.partitions), "this cluster"));
  }
  if (!asked.partition.empty()) return found;
  for (const Partition& partition : facts.partitions)
    if (partition.is_default) found.list.push_back(&partition);
  if (found.list.empty())
    findings.error("partition", "no partition is asked for, and this cluster has no default one",
                   fmt::format("partition: NAME; it has {}", all_of(names_of(facts.partitions))));
  return found;
}

void check_state(const Partitions& partitions, Findings& findings) {
  const auto is_up = [](const Partition* partition) { return partition->is_up; };
  if (std::none_of(partitions.list.begin(), partitions.list.end(), is_up))
    findings.warning("partition", fmt::format("jobs have to wait until {} is up again", partitions.text()));
}

/// Those of the cluster whose time limit is enough, for people.
std::string where_time_is_allowed(std::chrono::seconds time, const ClusterFacts& facts) {
  Names names;
  for (const Partition& partition : facts.partitions)
    if (partition.max_time.count() == 0 || partition.max_time >= time)
      names.push_back(fmt::format("{} ({})", partition.name, spell_time(partition.max_time)));
  return names.empty() ? "" : ", or " + use_partition(names);
}

/// The longest time limit that one of them allows; 0: there is none.
std::chrono::seconds longest_time(const Partitions& partitions) {
  std::chrono::seconds most{0};
  for (const Partition* partition : partitions.list) {
    if (partition->max_time.count() == 0) return std::chrono::seconds(0);
    most = std::max(most, partition->max_time);
  }
  return most;
}

void check_time(const Resources& asked, const ClusterFacts& facts, const Partitions& partitions,
                Findings& findings) {
  const std::chrono::seconds most = longest_time(partitions);
  if (most.count() == 0 || asked.time <= most) return;
  const std::string message = fmt::format("a time limit of {} is more than the {} that {} allows",
                                          spell_time(asked.time), spell_time(most), partitions.text());
  const std::string help =
      fmt::format("ask for at most {}{}", spell_time(most), where_time_is_allowed(asked.time, facts));
  if (asked.qos.empty())
    findings.error("time", message, help);
  else
    findings.warning("time", message, fmt::format("{}; a QOS may lift that limit", help));
}

/// How long a packed element takes whose instances have all the time that they may have.
void check_pack(const Stage& stage, const ResourceSet& set, const Partitions& partitions,
                const JobPlanOptions& options, Findings& findings) {
  const Resources& asked = set.resources;
  const Packing packing = packing_of(stage, asked, static_cast<std::uint32_t>(set.instances), options);
  const std::chrono::seconds most = longest_time(partitions);
  const std::chrono::seconds all = for_pack(asked, packing).time;
  if (packing.pack <= 1 || most.count() == 0 || asked.time > most || all <= most) return;
  const auto fit = static_cast<std::uint32_t>(most / asked.time) * packing.slots;
  findings.error(
      "time",
      fmt::format("{} instances to an element, {} side by side, may take {}: more than the {} that {} "
                  "allows",
                  packing.pack, packing.slots, spell_time(all), spell_time(most), partitions.text()),
      fmt::format("pack: {} fits, and pack: auto finds that by itself", fit));
}

void check_reservation(const Resources& asked, const ClusterFacts& facts, Findings& findings) {
  for (const std::string& name : split(asked.reservation))
    if (!contains(facts.reservations, name))
      findings.error("reservation", fmt::format("there is no reservation '{}'", name),
                     suggestion(name, facts.reservations, "this cluster"));
}

void check_licenses(const Resources& asked, const ClusterFacts& facts, Findings& findings) {
  Names known;
  for (const auto& [name, total] : facts.licenses) known.push_back(name);
  for (const Counted& license : license_list(asked.licenses)) {
    const auto found = facts.licenses.find(license.name);
    if (found == facts.licenses.end())
      findings.error("licenses", fmt::format("there is no license '{}'", license.name),
                     suggestion(license.name, known, "this cluster"));
    else if (license.count > found->second)
      findings.error("licenses", fmt::format("{} of license '{}' are more than the {} that this cluster has",
                                             license.count, license.name, found->second));
  }
}

/// Whether this user may use `name`, and the partitions take it.
void check_membership(const char* key, const std::string& name, const std::optional<Names>& own,
                      Names Partition::*allowed, const Partitions& partitions, Findings& findings) {
  if (name.empty()) return;
  const std::string what = std::string(key) == "qos" ? "QOS" : key;
  if (own && !contains(*own, name))
    return findings.error(key, fmt::format("{} '{}' is not one of yours", what, name),
                          suggestion(name, *own, "your user"));
  Names accepted;
  for (const Partition* partition : partitions.list) {
    if ((partition->*allowed).empty() || contains(partition->*allowed, name)) return;
    accepted.insert(accepted.end(), (partition->*allowed).begin(), (partition->*allowed).end());
  }
  if (!partitions.list.empty())
    findings.error(key, fmt::format("{} '{}' may not be used in {}", what, name, partitions.text()),
                   fmt::format("what may: {}", all_of(accepted)));
}

/// Nothing of it is at fault that its own stage's settings could mend: the plan as a whole is too large for
/// now.
void check_counts(const Plan& plan, const ClusterFacts& facts, Diagnostics& diagnostics) {
  std::uint64_t jobs = 1;  // the one that closes the run
  for (const ArrayPlan& array : plan_jobs(plan, job_plan_options(plan, facts))) jobs += array.elements();
  const Where workflow{std::make_shared<const SourceFile>(SourceFile{plan.workflow().file, ""}), 0, 0, 1};
  const char* const help =
      "pack: auto puts many small instances into one element; what does not fit now can be submitted later "
      "with "
      "kernmill resume";
  if (facts.max_jobs > 0 && jobs > facts.max_jobs)
    diagnostics.warning(
        workflow,
        fmt::format("this run has {} jobs and elements of job arrays; the controller keeps {}", jobs,
                    facts.max_jobs),
        help);
  for (const auto& [name, most] : facts.submit_limits)
    if (most > 0 && jobs > most)
      diagnostics.warning(
          workflow,
          fmt::format("this run has {} jobs and elements of job arrays; {} allows you {} at once", jobs, name,
                      most),
          help);
}

void check(const Resources& asked, const ClusterFacts& facts, const Partitions& partitions,
           Findings& findings) {
  if (!partitions.list.empty()) {
    check_state(partitions, findings);
    check_time(asked, facts, partitions, findings);
    check_nodes(asked, facts, partitions, findings);
  }
  check_reservation(asked, facts, findings);
  check_licenses(asked, facts, findings);
  check_membership("account", asked.account, facts.accounts, &Partition::allowed_accounts, partitions,
                   findings);
  check_membership("qos", asked.qos, facts.qos, &Partition::allowed_qos, partitions, findings);
}

std::size_t objections(const Resources& asked, const Stage& stage, const ClusterFacts& facts) {
  Diagnostics diagnostics;
  Findings findings(stage, diagnostics);
  ResourceSet set;
  set.resources = asked;
  findings.begin(set);
  check(asked, facts, partitions_of(asked, facts, findings), findings);
  return diagnostics.all().size();
}

}  // namespace
}  // namespace cluster_check

bool could_run_as_well(const Resources& asked, const Resources& before, const Stage& stage,
                       const ClusterFacts& facts) {
  using cluster_check::objections;
  return objections(asked, stage, facts) <= objections(before, stage, facts);
}

void check_against(const Plan& plan, const ClusterFacts& facts, Diagnostics& diagnostics) {
  const JobPlanOptions options = job_plan_options(plan, facts);
  for (std::uint32_t stage = 0; stage < plan.stage_count(); ++stage) {
    cluster_check::Findings findings(plan.stage(stage), diagnostics);
    for (const ResourceSet& set : resource_sets(plan, stage)) {
      findings.begin(set);
      const auto partitions = cluster_check::partitions_of(set.resources, facts, findings);
      cluster_check::check(set.resources, facts, partitions, findings);
      cluster_check::check_pack(plan.stage(stage), set, partitions, options, findings);
    }
  }
  cluster_check::check_counts(plan, facts, diagnostics);
  diagnostics.sort();
}

}  // namespace kernmill
