#include "kernmill/workflow/workflow.hpp"

#include <algorithm>
#include <array>
#include <cctype>

namespace kernmill {
namespace {

constexpr std::array<std::string_view, 6> kind_names{"preprocess", "train",  "evaluate",
                                                     "tune",       "deploy", "command"};

}  // namespace

std::string_view to_string(TaskKind kind) {
  return kind_names.at(static_cast<std::size_t>(kind));
}

std::optional<TaskKind> task_kind(std::string_view name) {
  const auto found = std::find(kind_names.begin(), kind_names.end(), name);
  if (found == kind_names.end()) return std::nullopt;
  return static_cast<TaskKind>(found - kind_names.begin());
}

std::string matrix_variable(const std::string& axis) {
  std::string name = "KERNMILL_MATRIX_";
  for (const char c : axis) {
    const auto byte = static_cast<unsigned char>(c);
    name += std::isalnum(byte) != 0 ? static_cast<char>(std::toupper(byte)) : '_';
  }
  return name;
}

bool is_order_only(const Stage& stage, std::string_view parent) {
  return std::find(stage.order_only.begin(), stage.order_only.end(), parent) != stage.order_only.end();
}

std::vector<AxisGroup> axis_groups(const Matrix& matrix) {
  std::vector<AxisGroup> groups;
  for (std::size_t a = 0; a < matrix.axes.size(); ++a) {
    if (!matrix.axes[a].zipped || groups.empty()) groups.push_back({a, a, matrix.axes[a].values.size()});
    groups.back().end = a + 1;
  }
  return groups;
}

const Stage* Workflow::find(std::string_view stage) const {
  const auto found =
      std::find_if(stages.begin(), stages.end(), [&](const Stage& s) { return s.name == stage; });
  return found == stages.end() ? nullptr : &*found;
}

}  // namespace kernmill
