#include "kernmill/plan/part.hpp"

#include <algorithm>
#include <set>

namespace kernmill {

Workflow with_what_they_need(const Workflow& workflow, const std::vector<std::string>& stages) {
  std::set<std::string> wanted;
  std::vector<std::string> open = stages;
  while (!open.empty()) {
    const std::string name = open.back();
    open.pop_back();
    const Stage* stage = workflow.find(name);
    if (stage != nullptr && wanted.insert(name).second)
      open.insert(open.end(), stage->needs.begin(), stage->needs.end());
  }
  Workflow part = workflow;
  std::erase_if(part.stages, [&](const Stage& stage) { return !wanted.contains(stage.name); });
  return part;
}

Workflow without_order_after(const Workflow& workflow, const std::string& name) {
  Workflow part = workflow;
  for (Stage& stage : part.stages)
    if (std::find(stage.order_only.begin(), stage.order_only.end(), name) != stage.order_only.end()) {
      std::erase(stage.order_only, name);
      std::erase(stage.needs, name);
    }
  return part;
}

}  // namespace kernmill
