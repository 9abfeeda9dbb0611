#pragma once
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "kernmill/plan/resource_sets.hpp"
#include "kernmill/scheduler/cluster.hpp"
#include "kernmill/workflow/text/diagnostic.hpp"

// Between the parts of cluster_check; nothing else includes it.

namespace kernmill::cluster_check {

/// The findings of one stage. Of several sets of resources that fail in the same key, the first is reported.
class Findings {
 public:
  Findings(const Stage& stage, Diagnostics& diagnostics) : stage_(stage), diagnostics_(diagnostics) {}

  /// From here on findings are about this set.
  void begin(const ResourceSet& set);
  /// `key` is the resource that is at fault.
  void error(std::string_view key, const std::string& message, const std::string& help = {});
  void warning(std::string_view key, const std::string& message, const std::string& help = {});

 private:
  void add(Diagnostic::Severity severity, std::string_view key, const std::string& message,
           const std::string& help);
  [[nodiscard]] Where where(const std::string& key) const;
  [[nodiscard]] std::string condition(const std::string& key) const;

  const Stage& stage_;
  Diagnostics& diagnostics_;
  const ResourceSet* set_ = nullptr;
  std::set<std::string> earlier_, now_;  ///< keys reported
};

/// "did you mean 'gpu'? this cluster has cpu, gpu and long".
std::string suggestion(const std::string& word, const std::vector<std::string>& known,
                       std::string_view owner);
/// "a, b and c"; a long list is cut.
std::string all_of(const std::vector<std::string>& words);

/// "use partition gpu (7d) or big (unlimited)"; empty when there are none.
std::string use_partition(const std::vector<std::string>& names);

/// The partitions in which a job may run.
struct Partitions {
  std::vector<const ClusterFacts::Partition*> list;
  /// "partition 'debug'", or "partitions a, b".
  [[nodiscard]] std::string text() const;
  /// Of all of them, those that the cluster describes.
  [[nodiscard]] std::vector<const ClusterFacts::Node*> nodes(const ClusterFacts& facts) const;
};

/// What the nodes have: CPUs, memory, GPUs, features.
void check_nodes(const Resources& asked, const ClusterFacts& facts, const Partitions& partitions,
                 Findings& findings);

}  // namespace kernmill::cluster_check
