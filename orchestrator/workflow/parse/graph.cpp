#include <algorithm>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "kernmill/workflow/expression/expression.hpp"
#include "kernmill/workflow/parse/references.hpp"
#include "kernmill/workflow/text/limits.hpp"

namespace kernmill {
namespace {

/// Depth-first over who waits for whom; each stage is on at most one cycle that is reported.
class CycleFinder {
 public:
  explicit CycleFinder(Draft& draft) : draft_(draft), colors_(draft.stages.size(), white) {}

  void run() {
    for (std::size_t s = 0; s < draft_.stages.size(); ++s)
      if (colors_[s] == white) visit(s);
  }

 private:
  enum Color { white, on_path, done };
  struct Step {
    std::size_t stage;
    std::size_t next_wait;
  };

  /// Iterative: a chain of stages may be longer than the stack is deep.
  void visit(std::size_t first) {
    path_ = {{first, 0}};
    colors_[first] = on_path;
    while (!path_.empty()) {
      Step& step = path_.back();
      const auto& waits = draft_.stages[step.stage].waits;
      if (step.next_wait == waits.size()) {
        colors_[step.stage] = done;
        path_.pop_back();
        continue;
      }
      const Wait& wait = waits[step.next_wait++];
      const std::size_t to = number_of(wait.stage);
      if (colors_[to] == on_path) report(to, wait.where);
      if (colors_[to] != white) continue;
      colors_[to] = on_path;
      path_.push_back({to, 0});
    }
  }

  void report(std::size_t first, const Where& where) {
    auto at = std::find_if(path_.begin(), path_.end(), [&](const Step& s) { return s.stage == first; });
    std::vector<std::string> names;
    bool known = false;
    for (; at != path_.end(); ++at) {
      names.push_back(draft_.stages[at->stage].stage.name);
      known = known || std::find(reported_.begin(), reported_.end(), at->stage) != reported_.end();
      reported_.push_back(at->stage);
    }
    if (known) return;
    names.push_back(names.front());
    draft_.diagnostics.error(where,
                             fmt::format("these stages wait for each other: {}", fmt::join(names, " -> ")),
                             "an arrow points to what is waited for; take one of them away");
  }

  [[nodiscard]] std::size_t number_of(const std::string& name) const {
    return static_cast<std::size_t>(draft_.find(name) - draft_.stages.data());
  }

  Draft& draft_;
  std::vector<Color> colors_;
  std::vector<Step> path_;
  std::vector<std::size_t> reported_;
};

/// The name in an item of `needs`, and whether the order alone counts; null: it was reported.
std::pair<const Value*, bool> read_need(const Draft& draft, const Value& item) {
  if (!item.is_map()) return {&item, false};
  SettingsReader reader(draft.diagnostics);
  const std::size_t before = draft.diagnostics.all().size();
  const Table& table = need_settings();
  const Json read = reader.read(table, reader.collect(item, {&table}, table.name), item.where);
  if (draft.diagnostics.all().size() > before) return {nullptr, false};
  return {item.find("stage"), read.value("order_only", false)};
}

/// Stages that its `when` speaks of, and nothing else of it does: they decide whether it runs, not what it
/// leaves.
std::set<std::string> only_in_when(const StageDraft& stage) {
  std::set<std::string> names;
  try {
    if (!stage.stage.when.empty())
      for (const NamePath& path : names_in(stage.stage.when))
        if (path.size() > 1 && path[0] == "stages") names.insert(path[1]);
  } catch (const ExpressionError&) {
    return {};  // reported
  }
  for (const std::string& need : stage.needs) names.erase(need);
  for (const Input& input : stage.stage.inputs) names.erase(input.stage);
  return names;
}

}  // namespace

void read_needs(const Draft& draft, StageDraft& stage) {
  const Field* field = stage.fields.find("needs");
  if (field == nullptr) return;
  const auto need = [&](const Value& item) {
    const auto [name, order_only] = read_need(draft, item);
    if (name == nullptr) return;
    const Value& value = *name;
    if (value.is_template()) return;  // reported
    if (value.is_list() || value.is_map() || value.is_null())
      return draft.diagnostics.error(value.where, "'needs' takes names of stages, not " + describe(value));
    const StageDraft* to = find_stage(draft, value.text, value.where);
    if (to == &stage)
      draft.diagnostics.error(value.where, fmt::format("stage '{}' depends on itself", value.text));
    else if (to != nullptr)
      stage.waits.push_back({value.text, value.where});
    stage.needs.insert(value.text);
    if (order_only) stage.order_only.insert(value.text);
  };
  const auto* list = std::get_if<Value::List>(&field->value->data);
  if (list == nullptr) return need(*field->value);
  if (list->size() > limits::references)
    return draft.diagnostics.error(field->value->where,
                                   fmt::format("'needs' names more than {} stages", limits::references));
  for (const Value& item : *list) need(item);
}

void connect_stages(Draft& draft) {
  CycleFinder(draft).run();
  for (StageDraft& stage : draft.stages) {
    std::set<std::size_t> numbers;
    for (const Wait& wait : stage.waits) numbers.insert(draft.stage_numbers.at(wait.stage));
    stage.order_only.merge(only_in_when(stage));
    for (const std::size_t number : numbers) {
      const std::string& name = draft.stages[number].stage.name;
      stage.stage.needs.push_back(name);
      if (stage.order_only.contains(name) ||
          std::all_of(stage.waits.begin(), stage.waits.end(),
                      [&](const Wait& wait) { return wait.order_only || wait.stage != name; }))
        stage.stage.order_only.push_back(name);
    }
  }
}

}  // namespace kernmill
