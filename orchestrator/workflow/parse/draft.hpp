#pragma once
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "kernmill/workflow/parse/parser.hpp"
#include "kernmill/workflow/parse/places.hpp"
#include "kernmill/workflow/settings/settings_reader.hpp"

namespace kernmill {

/// A `stages.X.NAME` in an expression, still to be checked.
struct StageUse {
  std::string stage;
  std::string name;  ///< the metric or artifact; empty when it is missing
  Where where;
};

/// Why a stage waits for another.
struct Wait {
  std::string stage;
  Where where;
  bool order_only = false;  ///< its results do not depend on that stage's
};

/// A stage while the parser works on it.
struct StageDraft {
  Stage stage;
  Value body;                  ///< params evaluated
  Fields fields;               ///< of `body`
  bool runs_command = false;   ///< it, or each of its trials
  bool kind_known = false;     ///< false: `task` was wrong, and the settings of its kind are not checked
  bool matrix_broken = false;  ///< its mistakes are reported; do not judge what refers to it
  std::vector<StageUse> uses;  ///< from expressions
  std::vector<Where> later_where{};         ///< of Stage::matrix.later, one each
  std::vector<Wait> waits;                  ///< checked: those stages exist
  std::vector<std::string> outputs;         ///< of a command; of a search with one, all that it leaves
  std::vector<std::string> point_names;     ///< of the space that such a search tries
  std::set<std::string> needs, order_only;  ///< stages that `needs:` names; those whose order alone counts
  /// Whether a stage makes the same instances, where that was asked: a matrix may be long.
  mutable std::unordered_map<std::string, bool> same_instances{};
};

/// Whether it is a search whose trials run a command.
inline bool has_points(const StageDraft& stage) {
  return stage.kind_known && stage.stage.kind == TaskKind::tune && stage.runs_command;
}

/// How much of its limits (text/limits.hpp) a workflow has used up.
struct Spent {
  std::size_t expressions = 0, pasted_values = 0, pasted_bytes = 0, axis_checks = 0;
};

/// A workflow while the parser works on it.
struct Draft {
  Diagnostics& diagnostics;
  const Files& files;
  std::string base_directory;
  Value params{.data = Value::Map{}, .where = {}, .text = {}};  ///< a map, evaluated
  std::unordered_map<std::string, std::size_t> param_numbers;   ///< place in `params` by name
  std::vector<StageDraft> stages;
  std::unordered_map<std::string, std::size_t> stage_numbers;  ///< place in `stages` by name
  std::unique_ptr<Spent> spent = std::make_unique<Spent>();
  std::unique_ptr<SourceLines> lines = std::make_unique<SourceLines>();

  [[nodiscard]] const StageDraft* find(const std::string& stage) const {
    const auto number = stage_numbers.find(stage);
    return number == stage_numbers.end() ? nullptr : &stages[number->second];
  }
  [[nodiscard]] std::vector<std::string> stage_names() const {
    std::vector<std::string> names;
    for (const StageDraft& draft : stages) names.push_back(draft.stage.name);
    return names;
  }
};

}  // namespace kernmill
