#pragma once
#include <functional>
#include <vector>

#include "kernmill/plan/plan.hpp"
#include "kernmill/run/journal/journal.hpp"

namespace kernmill {

/// Which instances have settled so that they will read nothing any more: committed, or skipped.
struct Settled {
  std::function<bool(InstanceId)> one;
  std::function<bool(std::uint32_t stage)> all;  ///< instances of the stage
};

/// `temp: true`: artifacts that go when nobody needs them any more. The commit record of such an artifact
/// says that it is temporary; that it is gone is no record of its own.
class TemporaryArtifacts {
 public:
  /// The plan has to outlive this.
  explicit TemporaryArtifacts(const Plan& plan);
  /// Of a stage whose attempts leave one.
  [[nodiscard]] bool has(std::uint32_t stage) const { return has_[stage]; }
  /// Parents of an instance that has just settled which nobody will read any more.
  [[nodiscard]] std::vector<InstanceId> freed_by(InstanceId settled, const Settled& state) const;
  /// Whether everybody who waits for the instance has settled: at the end of a run, whether its artifacts go.
  [[nodiscard]] bool is_free(InstanceId id, const Settled& state) const;

 private:
  const Plan* plan_;
  std::vector<bool> has_;
};

/// Says of each artifact whether the instance's stage has it as a temporary one.
void mark_temporary(std::vector<Artifact>& artifacts, const Json& config);

/// Removes a file, a folder or what matches a pattern. What cannot be removed stays.
void remove_artifact(const Artifact& artifact);

}  // namespace kernmill
