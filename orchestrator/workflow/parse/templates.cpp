#include "kernmill/workflow/parse/templates.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "kernmill/base/did_you_mean.hpp"
#include "kernmill/workflow/env_source.hpp"
#include "kernmill/workflow/expression/expression.hpp"
#include "kernmill/workflow/expression/expression_syntax.hpp"
#include "kernmill/workflow/text/limits.hpp"
#include "kernmill/workflow/text/unicode.hpp"

namespace kernmill {
namespace {

/// Null when there is no such parameter.
const Value* param(const Draft& draft, const NamePath& name) {
  if (name.size() < 2 || name[0] != "params") return nullptr;
  const auto number = draft.param_numbers.find(name[1]);
  if (number == draft.param_numbers.end()) return nullptr;
  const Value* value = &std::get<Value::Map>(draft.params.data)[number->second].value;
  for (std::size_t i = 2; value != nullptr && i < name.size(); ++i) value = value->find(name[i]);
  return value;
}

/// The parameter that the text stands for, if it is one `${{ params.NAME }}` alone.
const Value* only_param(const Draft& draft, const std::string& text) {
  const auto parts = template_parts(text);
  if (parts.size() != 1 || parts[0].length != text.size()) return nullptr;
  const ExpressionNode& node = parts[0].expression;
  return node.kind == ExpressionNode::Kind::name ? param(draft, node.name) : nullptr;
}

class Resolver {
 public:
  Resolver(const TemplateScope& scope, const Draft& draft, StageDraft& stage)
      : scope_(scope), draft_(draft), stage_(stage) {}

  Value resolve(Value value) {
    if (auto* list = std::get_if<Value::List>(&value.data))
      for (Value& item : *list) item = resolve(std::move(item));
    if (auto* map = std::get_if<Value::Map>(&value.data))
      for (Value::Entry& entry : *map) entry.value = resolve(std::move(entry.value));
    if (value.is_template()) return resolve_string(value);
    return value;
  }

 private:
  Value resolve_string(const Value& value) {
    const auto& text = std::get<std::string>(value.data);
    try {
      bool good = true;
      const auto uses = name_uses(text);
      spend_expressions(uses.size() + 1);
      for (const NameUse& use : uses) good = check(use, value) && good;
      if (!good) return value;
      if (const Value* whole = only_param(draft_, text)) return spend(*whole), moved_to(*whole, value.where);
      const Json json = evaluate(text, [&](const NamePath& name) -> std::optional<Known> {
        const Value* known = param(draft_, name);
        if (known == nullptr) return variable(name);
        spend(*known);
        const bool structured = known->is_list() || known->is_map();
        return Known(to_json(*known), structured ? spelled(*known) : own_spelling(*known));
      });
      return value_from_json(json, value.where);
    } catch (const ExpressionError& error) {
      draft_.diagnostics.error(place_in(value, error.offset, 1, *draft_.lines), error.message);
      return value;
    }
  }

  void spend_expressions(std::size_t count) {
    draft_.spent->expressions += count;
    if (draft_.spent->expressions > limits::expressions)
      throw ExpressionError{
          fmt::format("this workflow has more than {} expressions and names in them", limits::expressions)};
  }

  /// What params are replaced by adds up: each may hold others twice.
  void spend(const Value& value) {
    Spent& spent = *draft_.spent;
    ++spent.pasted_values;
    spent.pasted_bytes += value.text.size();
    if (spent.pasted_values > limits::pasted_values || spent.pasted_bytes > limits::pasted_bytes)
      throw ExpressionError{
          fmt::format("params are pasted as more than {} values or {} MiB of text in this workflow",
                      limits::pasted_values, limits::pasted_bytes >> 20)};
    if (const auto* list = std::get_if<Value::List>(&value.data))
      for (const Value& item : *list) spend(item);
    if (const auto* map = std::get_if<Value::Map>(&value.data))
      for (const auto& entry : *map) spend(entry.value);
  }

  [[nodiscard]] std::optional<Known> variable(const NamePath& name) const {
    if (name.size() != 2 || name[0] != "env" || !draft_.files.variable) return {};
    const auto text = draft_.files.variable(name[1]);
    return text ? std::optional<Known>(Known(*text)) : std::nullopt;
  }

  bool check(const NameUse& use, const Value& value) {
    const std::string& root = use.name[0];
    if (param(draft_, use.name) != nullptr) return true;
    const Where where = place_in(value, use.offset, use.length, *draft_.lines);
    if (root == "params") return check_param(use.name, where);
    if (root == "matrix") return check_matrix(use.name, where);
    if (root == "point") return check_point(use.name, where);
    if (root == "stages") return check_stage(use.name, where);
    if (root == "env") return check_variable(use.name, where);
    std::string help = did_you_mean(root, {"params", "matrix", "stages", "point", "env"});
    if (draft_.params.find(root) != nullptr) help = fmt::format("did you mean 'params.{}'?", root);
    if (std::find(stage_.point_names.begin(), stage_.point_names.end(), root) != stage_.point_names.end())
      help = fmt::format("did you mean 'point.{}'?", root);
    if (draft_.find(root) != nullptr)
      help = fmt::format("did you mean 'stages.{}'?", fmt::join(use.name, "."));
    return refuse(where, fmt::format("unknown name '{}'", fmt::join(use.name, ".")),
                  help.empty() ? has_points(stage_) ? "names begin with params., point., stages. or env."
                                                    : "names begin with params., matrix., stages. or env."
                               : help);
  }

  bool check_variable(const NamePath& name, const Where& where) {
    if (name.size() != 2) return refuse(where, "'env' needs the name of a variable, as in env.HOME", "");
    const auto text = draft_.files.variable ? draft_.files.variable(name[1]) : std::nullopt;
    if (!text)
      return refuse(where, fmt::format("{} is not set in your environment", name[1]),
                    fmt::format("export {}=..., or write the value here", name[1]));
    if (first_invalid_byte(*text) < text->size() || has_template(*text))
      return refuse(where, fmt::format("the value of {} cannot stand in a workflow", name[1]),
                    "it is to be UTF-8, and hold no ${{ }}");
    draft_.spent->pasted_bytes += text->size();
    if (looks_like_a_secret(name[1], *text))
      draft_.diagnostics.warning(
          where,
          fmt::format("'{}' looks like a secret, and its value is kept in plan.json of the run", name[1]),
          fmt::format("take it by reference, so that it is written nowhere: env: {{{}: {{from: env}}}}",
                      name[1]));
    return true;
  }

  bool check_param(const NamePath& name, const Where& where) {
    if (name.size() < 2) return refuse(where, "'params' needs a name, as in params.seed", "");
    std::vector<std::string> names;
    for (const auto& entry : std::get<Value::Map>(draft_.params.data)) names.push_back(entry.key);
    std::string help = did_you_mean(name[1], names);
    if (help.empty() && name[1].find('-') != std::string::npos)
      help = "a subtraction has spaces around its '-'";
    if (help.empty())
      help = names.empty() ? "the workflow has no params"
                           : "its params are " + fmt::format("{}", fmt::join(names, ", "));
    return refuse(where, fmt::format("unknown parameter '{}'", name[1]), help);
  }

  bool check_matrix(const NamePath& name, const Where& where) {
    if (!scope_.matrix)
      return refuse(where, fmt::format("a matrix value cannot be used in {}", scope_.place), "");
    if (stage_.matrix_broken) return false;
    std::vector<std::string> axes;
    for (const auto& axis : stage_.stage.matrix.axes) axes.push_back(axis.name);
    if (axes.empty() && !stage_.stage.matrix.include.empty())
      for (const auto& [key, value] : stage_.stage.matrix.include[0].items()) axes.push_back(key);
    if (axes.empty())
      return refuse(where, fmt::format("stage '{}' has no matrix", stage_.stage.name),
                    has_points(stage_) ? "a trial's values are those of its point: point.NAME"
                                       : "give it one: matrix: {NAME: [values]}");
    if (name.size() == 2 && std::find(axes.begin(), axes.end(), name[1]) != axes.end()) return true;
    const std::string axis = name.size() < 2 ? "" : name[1];
    const std::string help = did_you_mean(axis, axes);
    return refuse(where, fmt::format("the matrix of stage '{}' has no axis '{}'", stage_.stage.name, axis),
                  help.empty() ? "its axes are " + fmt::format("{}", fmt::join(axes, ", ")) : help);
  }

  bool check_point(const NamePath& name, const Where& where) {
    if (!has_points(stage_))
      return refuse(where, fmt::format("stage '{}' has no trials that run a command", stage_.stage.name),
                    "a point is what 'task: tune' with 'run' and 'space' tries");
    if (!scope_.point)
      return refuse(where, fmt::format("a value of a trial's point cannot be used in {}", scope_.place),
                    "it may stand in run, restart, env, inputs and outputs");
    const std::vector<std::string>& names = stage_.point_names;
    if (names.empty()) return false;  // reported where the space is read
    if (name.size() == 2 && std::find(names.begin(), names.end(), name[1]) != names.end()) return true;
    const std::string wanted = name.size() < 2 ? "" : name[1];
    const std::string help = did_you_mean(wanted, names);
    return refuse(where, fmt::format("the space of stage '{}' has no '{}'", stage_.stage.name, wanted),
                  help.empty() ? fmt::format("it has {}", fmt::join(names, ", ")) : help);
  }

  bool check_stage(const NamePath& name, const Where& where) {
    if (!scope_.stages) {
      const bool shell = scope_.place == "'run'" || scope_.place == "'restart'";
      if (scope_.place == "'matrix'")
        return refuse(
            where, "the result of a stage cannot be used in 'matrix'",
            fmt::format("an axis is a list that a stage leaves: {{from: {}}}", fmt::join(name, ".")));
      return refuse(
          where, fmt::format("the result of a stage cannot be used in {}", scope_.place),
          shell ? "pass it as a variable: env: {NAME: \"${{ " + fmt::format("{}", fmt::join(name, ".")) +
                      " }}\"}, and write $NAME here"
                : "results are known only while the workflow runs; they may stand in settings, env and when");
    }
    if (name.size() < 2) return refuse(where, "'stages' needs a name, as in stages.score.accuracy", "");
    std::string rest;
    for (std::size_t i = 2; i < name.size(); ++i) rest += (i > 2 ? "." : "") + name[i];
    stage_.uses.push_back({name[1], rest, where});
    return true;
  }

  bool refuse(const Where& where, std::string message, std::string help) {
    draft_.diagnostics.error(where, std::move(message), std::move(help));
    return false;
  }

  const TemplateScope& scope_;
  const Draft& draft_;
  StageDraft& stage_;
};

}  // namespace

Value resolve_templates(Value value, const TemplateScope& scope, const Draft& draft, StageDraft& stage) {
  return Resolver(scope, draft, stage).resolve(std::move(value));
}

}  // namespace kernmill
