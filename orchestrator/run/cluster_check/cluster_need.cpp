#include "kernmill/run/cluster_check/cluster_need.hpp"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "kernmill/base/counted.hpp"
#include "kernmill/workflow/value/units.hpp"

namespace kernmill::cluster_check {
namespace {

template <class Amount>
std::uint64_t largest(const Nodes& nodes, Amount amount) {
  std::uint64_t most = 0;
  for (const Node* node : nodes) most = std::max<std::uint64_t>(most, amount(*node));
  return most;
}

class NeedCheck {
 public:
  NeedCheck(const Resources& asked, const NodeNeed& need, const Nodes& nodes, const NodeSearch& search)
      : asked_(asked), need_(need), nodes_(nodes), search_(search) {}

  bool check() { return check_cpus() && check_mem() && check_gres(); }

 private:
  /// What to ask for instead, and the partitions whose nodes have enough.
  template <class Amount, class Spell>
  [[nodiscard]] std::string others_with(std::uint64_t enough, Amount amount, Spell spell,
                                        std::string otherwise) const {
    std::vector<std::string> names;
    for (const auto& partition : search_.facts.partitions) {
      const std::uint64_t most = largest(Partitions{{&partition}}.nodes(search_.facts), amount);
      if (most >= enough) names.push_back(fmt::format("{} ({})", partition.name, spell(most)));
    }
    if (names.empty()) return otherwise;
    return fmt::format("{}{}{}", otherwise, otherwise.empty() ? "" : ", or ", use_partition(names));
  }

  bool check_cpus() {
    const auto cpus = [](const Node& node) { return node.cpus; };
    const std::uint64_t most = largest(nodes_, cpus);
    if (need_.cpus <= most) return true;
    const bool several = asked_.ntasks_per_node > 1;
    const std::string what =
        several ? fmt::format("{} ranks of {} on a node need {} CPUs", asked_.ntasks_per_node,
                              counted(static_cast<std::uint64_t>(asked_.cpus_per_task), "core"), need_.cpus)
                : fmt::format("{} cores of a rank are asked for", need_.cpus);
    search_.findings.error(
        several ? "ntasks_per_node" : "cpus_per_task",
        fmt::format("{}; the largest node of {} has {}", what, search_.partitions.text(), most),
        others_with(
            need_.cpus, cpus, [](std::uint64_t n) { return counted(n, "CPU"); },
            fmt::format("ask for at most {}",
                        several ? most / static_cast<std::uint64_t>(asked_.cpus_per_task) : most)));
    return false;
  }

  bool check_mem() {
    const auto mem = [](const Node& node) { return node.mem; };
    const std::uint64_t most = largest(nodes_, mem);
    if (need_.mem <= most || most == 0) return true;
    const bool by_cpu = asked_.mem == 0;
    const std::string what =
        by_cpu ? fmt::format("{} a core are {} on a node", spell_memory(asked_.mem_per_cpu),
                             spell_memory(need_.mem))
               : fmt::format("{} of memory on a node are asked for", spell_memory(need_.mem));
    search_.findings.error(
        by_cpu ? "mem_per_cpu" : "mem",
        fmt::format("{}; the largest node of {} has {}", what, search_.partitions.text(), spell_memory(most)),
        others_with(need_.mem, mem, spell_memory,
                    fmt::format("ask for at most {}", spell_memory(by_cpu ? most / need_.cpus : most))));
    return false;
  }

  bool check_gres() {
    bool fine = true;
    const std::size_t by_task = gpu_list(asked_.gpus_per_node).size();
    const std::size_t as_gres = by_task + gpu_list(asked_.gpus_per_task).size();
    for (std::size_t i = 0; i < need_.gres.size(); ++i)
      fine = check_one_gres(need_.gres[i], i < by_task   ? "gpus_per_node"
                                           : i < as_gres ? "gpus_per_task"
                                                         : "gres") &&
             fine;
    for (const Counted& wanted : gpu_list(asked_.gpus)) {
      const Counted one{wanted.name, wanted.type, wanted.count == 0 ? 0ull : 1ull};
      fine = check_one_gres(one, "gpus") && fine;
    }
    return fine;
  }

  bool check_one_gres(const Counted& wanted, const char* key) {
    const auto amount = [&](const Node& node) { return count_on(node, wanted); };
    const std::uint64_t most = largest(nodes_, amount);
    if (wanted.count <= most) return true;
    const auto number = [](std::uint64_t n) { return std::to_string(n); };
    if (most > 0) {
      search_.findings.error(
          key,
          fmt::format("{} of a node are asked for; the best node of {} has {}", text_of(wanted),
                      search_.partitions.text(), most),
          others_with(wanted.count, amount, number, fmt::format("ask for at most {}", most)));
      return false;
    }
    std::set<std::string> types;
    for (const Node* node : search_.partitions.nodes(search_.facts))
      for (const Counted& have : gres_list(node->gres))
        if (have.name == wanted.name && !have.type.empty()) types.insert(have.type);
    std::string help = others_with(wanted.count, amount, number, "");
    if (!wanted.type.empty() && !types.empty())
      help = suggestion(wanted.type, {types.begin(), types.end()}, search_.partitions.text());
    search_.findings.error(key,
                           fmt::format("no node of {} has {}", search_.partitions.text(),
                                       text_of({wanted.name, wanted.type, 1})),
                           help.empty() ? "nor has any other node of this cluster" : help);
    return false;
  }

  const Resources& asked_;
  const NodeNeed& need_;
  const Nodes& nodes_;
  const NodeSearch& search_;
};

}  // namespace

/// "1 GPU", "2 GPUs of type a100", "3 nics".
std::string text_of(const Counted& wanted) {
  const std::string number = counted(wanted.count, wanted.name == "gpu" ? "GPU" : wanted.name);
  return wanted.type.empty() ? number : fmt::format("{} of type {}", number, wanted.type);
}

std::uint64_t count_on(const Node& node, const Counted& wanted) {
  std::uint64_t count = 0;
  for (const Counted& have : gres_list(node.gres))
    if (have.name == wanted.name && (wanted.type.empty() || have.type == wanted.type)) count += have.count;
  return count;
}

bool NodeNeed::met_by(const Node& node) const {
  return node.cpus >= cpus && (node.mem >= mem || node.mem == 0) &&
         std::all_of(gres.begin(), gres.end(),
                     [&](const Counted& wanted) { return count_on(node, wanted) >= wanted.count; });
}

std::string NodeNeed::text() const {
  std::vector<std::string> parts{counted(cpus, "CPU")};
  if (mem > 0) parts.push_back(spell_memory(mem));
  for (const Counted& wanted : gres) parts.push_back(text_of(wanted));
  return all_of(parts);
}

NodeNeed need_of(const Resources& asked) {
  const auto ranks = static_cast<std::uint64_t>(std::max(asked.ntasks_per_node, 1));
  NodeNeed need;
  need.cpus = ranks * static_cast<std::uint64_t>(asked.cpus_per_task);
  need.mem = asked.mem > 0 ? asked.mem : asked.mem_per_cpu * need.cpus;
  need.gres = gpu_list(asked.gpus_per_node);
  for (Counted wanted : gpu_list(asked.gpus_per_task)) {
    wanted.count *= ranks;
    need.gres.push_back(std::move(wanted));
  }
  for (Counted& wanted : gres_list(asked.gres)) need.gres.push_back(std::move(wanted));
  return need;
}

bool check_need(const Resources& asked, const NodeNeed& need, const Nodes& nodes, const NodeSearch& search) {
  return NeedCheck(asked, need, nodes, search).check();
}

}  // namespace kernmill::cluster_check
