#pragma once
#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "kernmill/run/submit/submitted_array.hpp"

namespace kernmill::exec {

/// Which files of a journal are to be read: all but the thousands that other jobs have written.
class JournalSelection {
 public:
  /// What an attempt of the instance, or of all instances of its stage, was journalled in.
  void add_instance(const Plan& plan, const std::vector<SubmittedArray>& arrays, InstanceId id);
  void add_stage(const Plan& plan, const std::vector<SubmittedArray>& arrays, std::uint32_t stage);
  /// The instances that this one waits for; not those of whole stages that are `known` without.
  void add_parents(const Plan& plan, const std::vector<SubmittedArray>& arrays, InstanceId id,
                   const std::set<std::uint32_t>& known = {});
  [[nodiscard]] bool wants(std::string_view file) const;

 private:
  std::set<std::string, std::less<>> jobs_;   ///< "12_3", "12"; and "fit.3", "fit" of runs without a cluster
  std::set<std::string, std::less<>> whole_;  ///< "12" of an array, all elements of which are wanted
};

}  // namespace kernmill::exec
