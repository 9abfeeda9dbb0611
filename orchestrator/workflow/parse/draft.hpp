#pragma once
#include <string>
#include <vector>

#include "kernmill/workflow/parse/parser.hpp"
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
};

/// A stage while the parser works on it.
struct StageDraft {
  Stage stage;
  Value body;                  ///< params evaluated
  Fields fields;               ///< of `body`
  bool kind_known = false;     ///< false: `task` was wrong, and the settings of its kind are not checked
  bool matrix_broken = false;  ///< its mistakes are reported; do not judge what refers to it
  std::vector<StageUse> uses;  ///< from expressions
  std::vector<Wait> waits;     ///< checked: those stages exist
  std::vector<std::string> outputs;  ///< of a command
};

/// A workflow while the parser works on it.
struct Draft {
  Diagnostics& diagnostics;
  const Files& files;
  std::string base_directory;
  Value params{.data = Value::Map{}, .where = {}, .text = {}};  ///< a map, evaluated
  std::vector<StageDraft> stages;

  [[nodiscard]] const StageDraft* find(std::string_view stage) const {
    for (const StageDraft& draft : stages)
      if (draft.stage.name == stage) return &draft;
    return nullptr;
  }
  [[nodiscard]] std::vector<std::string> stage_names() const {
    std::vector<std::string> names;
    for (const StageDraft& draft : stages) names.push_back(draft.stage.name);
    return names;
  }
};

}  // namespace kernmill
