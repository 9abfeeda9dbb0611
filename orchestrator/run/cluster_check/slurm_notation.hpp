#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kernmill {

/// The names in a host list: "n[1-3,7],login" is n1, n2, n3, n7, login. Numbers keep their width
/// ("n[08-10]"). Nothing when it is no host list, or has more than 100,000 names.
std::optional<std::vector<std::string>> host_names(std::string_view text);

/// So many of a thing that is counted: a generic resource, or a license (which has no type).
struct Counted {
  std::string name;
  std::string type;  ///< of a GPU: "a100"; empty: any
  std::uint64_t count = 1;
};

/// As nodes have them and jobs ask for them: "gpu:a100:4(S:0-1),nic".
std::vector<Counted> gres_list(std::string_view text);
/// What --gpus and its kin take: "2", "a100:2", "a100:1,h100:1".
std::vector<Counted> gpu_list(std::string_view text);
/// "matlab:2,abaqus".
std::vector<Counted> license_list(std::string_view text);

/// The features that the nodes of a job need: "gpu&(amd|intel)", "[rack1|rack2]", "big*2".
class Constraint {
 public:
  /// What it does not understand it takes for satisfied; the features named are known all the same.
  explicit Constraint(std::string_view text);
  [[nodiscard]] const std::vector<std::string>& features() const { return features_; }
  /// Whether a node with these features may be one of the job's.
  [[nodiscard]] bool allows(const std::vector<std::string>& features) const;

 private:
  std::string text_;
  std::vector<std::string> features_;
  bool counted_ = false;  ///< some nodes with one feature, others with another
};

}  // namespace kernmill
