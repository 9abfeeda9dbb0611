#include <algorithm>
#include <cstdint>
#include <limits>
#include <set>

#include <fmt/format.h>

#include "kernmill/base/counted.hpp"
#include "kernmill/run/cluster_check/cluster_need.hpp"
#include "kernmill/run/cluster_check/slurm_notation.hpp"
#include "kernmill/workflow/settings/settings_reader.hpp"
#include "kernmill/workflow/value/units.hpp"

// Whether the nodes of a cluster have what a job asks for.

namespace kernmill::cluster_check {
namespace {

class NodeCheck {
 public:
  NodeCheck(const Resources& asked, const ClusterFacts& facts, const Partitions& partitions,
            Findings& findings)
      : asked_(asked),
        facts_(facts),
        partitions_(partitions),
        findings_(findings),
        all_(partitions.nodes(facts)) {}

  void check() {
    if (all_.empty()) return;  // the cluster does not say what it has
    check_numbers();
    nodes_ = all_;
    const bool named_right = restrict_to_features() && leave_out_excluded();
    if (!named_right) return;
    need_ = need_of(asked_);
    if (!check_need(asked_, need_, nodes_, {facts_, partitions_, findings_}) || !check_together()) return;
    if (check_total_gpus()) check_tasks();
    if (std::all_of(nodes_.begin(), nodes_.end(), [](const Node* node) { return node->is_down; }))
      findings_.warning(
          "partition",
          fmt::format("every node of {} that would do is down or drained: jobs wait", partitions_.text()));
  }

 private:
  [[nodiscard]] std::uint64_t tasks_a_node() const {
    return static_cast<std::uint64_t>(std::max(asked_.ntasks_per_node, 1));
  }
  [[nodiscard]] std::uint64_t cpus_a_task() const { return static_cast<std::uint64_t>(asked_.cpus_per_task); }

  /// Nodes of a job that the partitions allow; 0: as many as there are.
  [[nodiscard]] std::uint32_t most_nodes() const {
    std::uint32_t most = 0;
    for (const auto* partition : partitions_.list) {
      if (partition->max_nodes == 0) return 0;
      most = std::max(most, partition->max_nodes);
    }
    return most;
  }

  void check_numbers() {
    if (asked_.nodes_min == 0) return;
    const auto wanted = static_cast<std::uint64_t>(asked_.nodes_min);
    std::uint32_t least = std::numeric_limits<std::uint32_t>::max();
    for (const auto* partition : partitions_.list) least = std::min(least, partition->min_nodes);
    const auto refuse = [&](const std::string& more) {
      findings_.error("nodes", fmt::format("{} asked for, {}",
                                           counted(wanted, "node") + (wanted == 1 ? " is" : " are"), more));
    };
    if (wanted > all_.size())
      refuse(fmt::format("more than the {} of {}", all_.size(), partitions_.text()));
    else if (most_nodes() > 0 && wanted > most_nodes())
      refuse(fmt::format("more than the {} that a job may have in {}", most_nodes(), partitions_.text()));
    else if (static_cast<std::uint32_t>(asked_.nodes_max) < least)
      refuse(fmt::format("fewer than the {} that a job has to have in {}", least, partitions_.text()));
  }

  bool restrict_to_features() {
    if (asked_.constraint.empty()) return true;
    const Constraint constraint(asked_.constraint);
    std::set<std::string> known;
    for (const Node& node : facts_.nodes) known.insert(node.features.begin(), node.features.end());
    bool all_known = true;
    for (const std::string& feature : constraint.features()) {
      if (known.contains(feature)) continue;
      all_known = false;
      findings_.error("constraint", fmt::format("no node has the feature '{}'", feature),
                      suggestion(feature, {known.begin(), known.end()}, "this cluster"));
    }
    if (!all_known) return false;
    std::erase_if(nodes_, [&](const Node* node) { return !constraint.allows(node->features); });
    if (!nodes_.empty()) return true;
    std::set<std::string> here;
    for (const Node* node : all_) here.insert(node->features.begin(), node->features.end());
    findings_.error("constraint", fmt::format("no node of {} is '{}'", partitions_.text(), asked_.constraint),
                    fmt::format("its nodes have {}", all_of({here.begin(), here.end()})));
    return false;
  }

  bool leave_out_excluded() {
    if (asked_.exclude.empty()) return true;
    const auto names = host_names(asked_.exclude);
    if (!names) {
      findings_.error("exclude", fmt::format("'{}' is no list of nodes", asked_.exclude),
                      "exclude: n1,n[4-7]");
      return false;
    }
    std::vector<std::string> known;
    for (const Node& node : facts_.nodes) known.push_back(node.name);
    const std::set<std::string> excluded(names->begin(), names->end());
    const std::set<std::string> real(known.begin(), known.end());
    std::vector<std::string> unknown;
    std::set_difference(excluded.begin(), excluded.end(), real.begin(), real.end(),
                        std::back_inserter(unknown));
    if (!unknown.empty())
      findings_.error("exclude", fmt::format("this cluster has no node {}", one_of(unknown)),
                      fmt::format("its nodes are {}", all_of(known)));
    std::erase_if(nodes_, [&](const Node* node) { return excluded.contains(node->name); });
    if (!nodes_.empty()) return true;
    findings_.error("exclude", fmt::format("every node of {} is excluded", partitions_.text()));
    return false;
  }

  /// Each of the needs is met somewhere; are they met together, and often enough?
  bool check_together() {
    Nodes fitting = nodes_;
    std::erase_if(fitting, [&](const Node* node) { return !need_.met_by(*node); });
    const auto wanted = static_cast<std::size_t>(std::max(asked_.nodes_min, 1));
    if (fitting.size() < wanted && wanted <= all_.size()) {
      const char* key = asked_.nodes_min > 0 ? "nodes" : asked_.mem > 0 ? "mem" : "cpus_per_task";
      findings_.error(key,
                      fmt::format("{} asked for with {}; {} of {} have that",
                                  wanted == 1 ? "a node is" : counted(wanted, "node") + " are", need_.text(),
                                  fitting.empty() ? "none" : "only " + std::to_string(fitting.size()),
                                  partitions_.text()));
      return false;
    }
    nodes_ = std::move(fitting);
    return true;
  }

  /// The `count` largest amounts among the nodes that a job may have, added up.
  template <class Amount>
  [[nodiscard]] std::uint64_t total(Amount amount) const {
    std::vector<std::uint64_t> amounts;
    for (const Node* node : nodes_) amounts.push_back(amount(*node));
    std::sort(amounts.rbegin(), amounts.rend());
    std::size_t most = amounts.size();
    if (asked_.nodes_max > 0) most = std::min<std::size_t>(most, static_cast<std::size_t>(asked_.nodes_max));
    if (most_nodes() > 0) most = std::min<std::size_t>(most, most_nodes());
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < most; ++i) sum += amounts[i];
    return sum;
  }

  [[nodiscard]] std::string these_nodes() const {
    if (asked_.nodes_max > 0)
      return fmt::format("{} of {}", counted(static_cast<std::uint64_t>(asked_.nodes_max), "node"),
                         partitions_.text());
    return partitions_.text();
  }

  bool check_total_gpus() {
    for (const Counted& wanted : gpu_list(asked_.gpus)) {
      const std::uint64_t most = total([&](const Node& node) { return count_on(node, wanted); });
      if (wanted.count <= most) continue;
      findings_.error("gpus", fmt::format("{} are asked for, more than the {} of {}", text_of(wanted), most,
                                          these_nodes()));
      return false;
    }
    return true;
  }

  [[nodiscard]] std::uint64_t tasks_on(const Node& node) const {
    std::uint64_t tasks = node.cpus / cpus_a_task();
    if (asked_.ntasks_per_node > 0) tasks = std::min(tasks, tasks_a_node());
    if (asked_.mem_per_cpu > 0 && node.mem > 0)
      tasks = std::min(tasks, node.mem / (asked_.mem_per_cpu * cpus_a_task()));
    for (const Counted& wanted : gpu_list(asked_.gpus_per_task))
      if (wanted.count > 0) tasks = std::min(tasks, count_on(node, wanted) / wanted.count);
    return tasks;
  }

  void check_tasks() {
    const std::uint64_t most = total([&](const Node& node) { return tasks_on(node); });
    if (static_cast<std::uint64_t>(asked_.ntasks) <= most) return;
    const std::string each = cpus_a_task() > 1 ? fmt::format(" of {} cores", cpus_a_task()) : "";
    findings_.error("ntasks", fmt::format("{} ranks{} are asked for, more than the {} that fit on {}",
                                          asked_.ntasks, each, most, these_nodes()));
  }

  const Resources& asked_;
  const ClusterFacts& facts_;
  const Partitions& partitions_;
  Findings& findings_;
  const Nodes all_;
  Nodes nodes_;  ///< those of `all_` that are left
  NodeNeed need_;
};

}  // namespace

void check_nodes(const Resources& asked, const ClusterFacts& facts, const Partitions& partitions,
                 Findings& findings) {
  NodeCheck(asked, facts, partitions, findings).check();
}

}  // namespace kernmill::cluster_check
