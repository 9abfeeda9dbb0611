#include "kernmill/workflow/command_stage.hpp"

namespace kernmill {

bool runs_command(const Stage& stage) {
  return stage.kind == TaskKind::command || searches_with_command(stage);
}

bool searches_with_command(const Stage& stage) {
  return stage.kind == TaskKind::tune && stage.config.contains("run");
}

std::string point_variable(const std::string& name) {
  constexpr std::string_view matrix = "KERNMILL_MATRIX_";
  return "KERNMILL_POINT_" + matrix_variable(name).substr(matrix.size());
}

Json trial_value(const Stage& search, const Json& metrics) {
  const std::string name =
      searches_with_command(search) ? search.config.at("objective").at("metric").get<std::string>() : "value";
  return metrics.value(name, Json());
}

}  // namespace kernmill
