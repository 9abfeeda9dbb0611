#pragma once
#include <vector>

#include "kernmill/plan/plan.hpp"

namespace kernmill {

/// plan.json as one instance needs it, the same size however many others there are: of each matrix the number
/// of combinations, and of those that the instance shares by its number the values of this one. One that
/// gathers other instances needs the whole plan.
class InstancePlans {
 public:
  /// The plan has to outlive this.
  explicit InstancePlans(const Plan& plan);
  /// What `plan_from_json` takes. The plan that it makes says of this instance, and of those of its number in
  /// stages of the same matrix, what the whole plan says; values of others are a std::out_of_range.
  [[nodiscard]] Json of(InstanceId id) const;

 private:
  const Plan& plan_;
  std::vector<std::uint32_t> groups_;  ///< by stage: the first stage of the same combinations
  Json common_;                        ///< the plan without combinations
};

}  // namespace kernmill
