#include "kernmill/workflow/parse/later_axes.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "kernmill/workflow/parse/matrix.hpp"
#include "kernmill/workflow/parse/references.hpp"

namespace kernmill {
namespace {

constexpr std::string_view lists_of_tasks[] = {"predictions", "trials", "rejected"};

/// What is wrong with a stage as the one that decides; empty: nothing.
std::pair<std::string, std::string> problem_with(const StageDraft& stage, const StageDraft& decider,
                                                 const Matrix::Later& later) {
  if (&stage == &decider) return {fmt::format("stage '{}' depends on itself", later.stage), ""};
  if (has_several_instances(decider.stage.matrix) && !decider.matrix_broken)
    return {fmt::format("stage '{}' has several instances; the list is to be left by one", later.stage),
            "let a stage without a matrix collect what they leave, and write the list"};
  const bool leaves_a_list =
      std::find(std::begin(lists_of_tasks), std::end(lists_of_tasks), later.name) != std::end(lists_of_tasks);
  if (decider.kind_known && decider.stage.kind != TaskKind::command && !leaves_a_list)
    return {fmt::format("stage '{}' ({}) leaves no list '{}'", later.stage, to_string(decider.stage.kind),
                        later.name),
            "a command leaves one as an output: JSON, CSV, or a line for each value"};
  return {};
}

}  // namespace

void read_deciding_stages(const Draft& draft, StageDraft& stage) {
  const auto& all = stage.stage.matrix.later;
  for (std::size_t i = 0; i < std::min(all.size(), stage.later_where.size()); ++i) {
    const Matrix::Later& later = all[i];
    const Where& where = stage.later_where[i];
    const StageDraft* decider = find_stage(draft, later.stage, where);
    if (decider == nullptr) continue;
    const auto [message, help] = problem_with(stage, *decider, later);
    if (!message.empty())
      draft.diagnostics.error(where, message, help);
    else
      stage.waits.push_back({later.stage, where, true});
  }
}

}  // namespace kernmill
