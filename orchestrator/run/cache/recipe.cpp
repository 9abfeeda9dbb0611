#include "kernmill/run/cache/recipe.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <set>
#include <system_error>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "kernmill/base/file_pattern.hpp"
#include "kernmill/base/sha256.hpp"
#include "kernmill/run/cache/declared_inputs.hpp"
#include "kernmill/run/cache/tree.hpp"
#include "kernmill/workflow/command_stage.hpp"
#include "kernmill/workflow/expression/expression.hpp"

namespace kernmill {
namespace {

namespace fs = std::filesystem;

/// Keys sorted, and a real that is a whole number as that number.
nlohmann::json canonical(const Json& json) {
  if (json.is_object()) {
    auto result = nlohmann::json::object();
    for (const auto& [key, value] : json.items()) result[key] = canonical(value);
    return result;
  }
  if (json.is_array()) {
    auto result = nlohmann::json::array();
    for (const Json& value : json) result.push_back(canonical(value));
    return result;
  }
  if (json.is_number_float()) {
    const double value = json.get<double>();
    constexpr double exact_below = 0x1p53;
    if (std::trunc(value) == value && std::fabs(value) < exact_below) return static_cast<std::int64_t>(value);
    return value;
  }
  return nlohmann::json::parse(json.dump());
}

/// Calls `visit` for each name in the templates at any depth.
template <typename Visit>
void visit_names(const Json& value, const Visit& visit) {
  if (value.is_structured()) {
    for (const Json& part : value) visit_names(part, visit);
  } else if (value.is_string() && has_template(value.get_ref<const std::string&>())) {
    for (const NamePath& name : names_in(value.get_ref<const std::string&>())) visit(name);
  }
}

/// Of the artifact of that name, or of the directory with all of them; empty when there is none.
std::string digest_in(const InstanceResult& result, const std::string& name) {
  const auto artifacts = artifacts_named(result, name);
  if (artifacts.empty()) return {};
  if (artifacts.size() == 1 && artifacts.front().name == name) return artifacts.front().sha256;
  nlohmann::json all = nlohmann::json::object();
  for (const Artifact& artifact : artifacts)
    if (!is_record(artifact)) all[artifact.name] = artifact.sha256;
  return sha256(all.dump());
}

/// Stages that it names in what it reads.
std::set<std::string> named_parents(const Stage& stage) {
  std::set<std::string> names;
  for (const Input& input : stage.inputs)
    if (!input.stage.empty()) names.insert(input.stage);
  const auto add = [&](const NamePath& path) {
    if (path.size() == 3 && path[0] == "stages") names.insert(path[1]);
  };
  visit_names(stage.config, add);
  if (runs_command(stage)) visit_names(stage.env, add);
  return names;
}

std::string why_unknown(const std::string& parent, const std::string& why) {
  return fmt::format(
      "what {} leaves is not known: {} (name its outputs, or say that only the order counts: "
      "needs: [{{stage: {}, order_only: true}}])",
      parent, why, parent);
}

/// How long an output is kept changes nothing of the result.
void forget_when_outputs_go(Json& config) {
  const auto outputs = config.find("outputs");
  if (outputs == config.end()) return;
  for (Json& output : *outputs)
    if (output.is_object()) output = Json(output.at("path"));
}

/// Puts one recipe together. What is missing is thrown as a NoRecipe within this file.
class RecipeBuilder {
 public:
  RecipeBuilder(const Plan& plan, InstanceId id, const ResultOf& result_of, DigestStore& digests,
                const ProgramDigests& programs, const LeavingsOf& leavings_of)
      : plan_(plan),
        id_(id),
        stage_(plan.stage(id.stage)),
        result_of_(result_of),
        digests_(digests),
        programs_(programs),
        leavings_of_(leavings_of) {}

  Recipe build() {
    if (const auto never = why_never_cached(plan_, id_.stage, programs_); !never.empty())
      throw NoRecipe{never};
    recipe_.body["kind"] = plan_.is_reduce(id_) ? "reduce" : to_string(stage_.kind);
    recipe_.body["config"] = resolved(plan_.config(id_));
    forget_when_outputs_go(recipe_.body["config"]);
    recipe_.body["config"].erase("tune_stage");  // its content is an input
    if (plan_.workflow().encryption.on()) recipe_.body["encryption"] = to_json(plan_.workflow().encryption);
    add_inputs();
    add_needs();
    if (runs_command(stage_) && !plan_.is_reduce(id_))
      add_surroundings_of_command();
    else
      add_program();
    recipe_.key = recipe_key(recipe_.body);
    return std::move(recipe_);
  }

 private:
  void add_inputs() {
    recipe_.body["inputs"] = Json::object();
    for (const Input& input : plan_.inputs(id_)) {
      const bool from_file = input.stage.empty();
      recipe_.body["inputs"][input.key] = from_file        ? file_digest(input)
                                          : input.gathered ? gathered_digest(input)
                                                           : artifact_digest(input);
      recipe_.input_names[input.key] = from_file ? display_path(input.path, plan_.workflow())
                                       : input.artifact.empty()
                                           ? input.stage
                                           : fmt::format("{}.{}", input.stage, input.artifact);
    }
    if (!plan_.is_reduce(id_)) return;
    recipe_.body["inputs"]["trials"] = trials_digest();
    recipe_.input_names["trials"] = "values of the trials";
  }

  std::string file_digest(const Input& input) {
    try {
      if (is_tree(input.path) && !fs::is_directory(input.path) && files_of_pattern(input.path).empty())
        return digests_.sha256(input.path);  // which says why not
      return content_of(input.path, digests_, Links::followed).sha256;
    } catch (const TreeError& error) {
      throw NoRecipe{fmt::format("input {}: {}", display_path(input.path, plan_.workflow()), error.what())};
    } catch (const std::system_error& error) {
      throw NoRecipe{fmt::format("input {} cannot be read ({})", display_path(input.path, plan_.workflow()),
                                 error.code().message())};
    }
  }

  std::string artifact_digest(const Input& input) {
    const InstanceResult result = result_of_stage(input.stage);
    if (artifacts_named(result, input.artifact).empty())
      throw NoRecipe{fmt::format("{} left no {}", input.stage, input.artifact)};
    return digest_in(result, input.artifact);
  }

  /// Of the table that the command is given, with contents in place of paths. Who has left nothing is not in
  /// it.
  std::string gathered_digest(const Input& input) {
    const std::uint32_t stage = plan_.stage_number(input.stage);
    std::string lines;
    for (std::uint32_t i = 0; i < plan_.instance_count(stage); ++i) {
      const auto result = result_of_({stage, i});
      if (!result) continue;
      nlohmann::json artifacts = nlohmann::json::object();
      for (const Artifact& artifact : result->artifacts)
        if (input.artifact.empty() ? !is_record(artifact) : artifact.name == input.artifact)
          artifacts[artifact.name] = artifact.sha256;
      lines += fmt::format("{} {} {} {}\n", i, canonical_json(plan_.values({stage, i})),
                           canonical_json(result->metrics), artifacts.dump());
    }
    return sha256(lines);
  }

  std::string trials_digest() {
    Json values = Json::array();
    for (std::uint32_t trial = 0; trial < id_.index; ++trial) {
      const auto result = result_of_({id_.stage, trial});
      if (!result) throw NoRecipe{fmt::format("not every trial of {} has a result yet", stage_.name)};
      values.push_back(trial_value(stage_, result->metrics));
      for (const Artifact& artifact : result->artifacts) values.push_back(artifact.sha256);
    }
    return sha256(canonical_json(values));
  }

  void add_needs() {
    for (const std::uint32_t parent : unnamed_parents(plan_, id_.stage)) {
      const std::string& name = plan_.stage(parent).name;
      StageLeavings left = left_by(parent);
      if (left.digest.empty()) throw NoRecipe{why_unknown(name, left.unknown)};
      recipe_.body["needs"][name] = std::move(left.digest);
    }
  }

  StageLeavings left_by(std::uint32_t parent) {
    if (const auto one = plan_.referred(id_, parent)) {
      result_of_stage(plan_.stage(parent).name);  // or it will run first
      return leavings_of(plan_, parent, IndexRanges(one->index, one->index), result_of_);
    }
    return leavings_of_ ? leavings_of_(parent) : leavings_of(plan_, parent, result_of_);
  }

  void add_surroundings_of_command() {
    recipe_.body["env"] = Json::object();
    const Json variables = resolved(plan_.env(id_));
    for (const auto& [name, value] : variables.items())
      recipe_.body["env"][name] = value.is_object() ? value : Json(hidden_value(name, value));
    add_passed_variables();
    recipe_.body["matrix"] = plan_.written_values(id_);
    recipe_.body["modules"] = stage_.modules;
    recipe_.body["setup"] = stage_.setup;
    recipe_.body["container"] = stage_.container;
    if (!stage_.python.empty()) recipe_.body["python"] = stage_.python;
    if (const Snapshot& code = plan_.workflow().snapshot; code.on()) {
      recipe_.body["code"] = code.digest;
      recipe_.input_names["code"] = code.commit.empty() ? code.digest : code.commit;
    }
  }

  /// A secret changes nothing (ADR 0011), and what `env` sets is in its place.
  void add_passed_variables() {
    if (stage_.pass_env.empty() || !programs_.passed) return;
    for (const auto& [name, value] : programs_.passed(stage_))
      if (!stage_.env.contains(name) && !looks_like_a_secret(name, value))
        recipe_.body["env"][name] = hidden_value(name, value);
  }

  void add_program() { recipe_.body["program"] = plan_.is_reduce(id_) ? programs_.exec : programs_.task; }

  /// With stages.* evaluated.
  Json resolved(const Json& templates) {
    Json value = evaluate_all(templates, [this](const NamePath& path) { return look_up(path); });
    visit_names(value, [](const NamePath& name) {
      throw NoRecipe{fmt::format("nothing is known of {}", fmt::join(name, "."))};
    });
    return value;
  }

  std::optional<Json> look_up(const NamePath& path) {
    if (path.size() != 3 || path[0] != "stages") return {};
    const InstanceResult result = result_of_stage(path[1]);
    if (result.metrics.contains(path[2])) return result.metrics[path[2]];
    if (!artifacts_named(result, path[2]).empty()) return "sha256:" + digest_in(result, path[2]);
    return {};
  }

  InstanceResult result_of_stage(const std::string& name) {
    const auto parent = plan_.referred(id_, plan_.stage_number(name));
    auto result = parent ? result_of_(*parent) : std::nullopt;
    const bool joined = parent && !plan_.is_reduce(*parent);
    if (!result) throw NoRecipe{fmt::format("{} will run first", joined ? plan_.label(*parent) : name)};
    return std::move(*result);
  }

  const Plan& plan_;
  InstanceId id_;
  const Stage& stage_;
  const ResultOf& result_of_;
  DigestStore& digests_;
  const ProgramDigests& programs_;
  const LeavingsOf& leavings_of_;
  Recipe recipe_;
};

}  // namespace

std::string hidden_value(const std::string& variable, const Json& value) {
  return "sha256:" + sha256(fmt::format("{}={}", variable, canonical_json(value)));
}

std::string canonical_json(const Json& json) {
  return canonical(json).dump();
}

std::string recipe_key(const Json& body) {
  return sha256(canonical_json(body));
}

ProgramDigests program_digests(DigestStore& digests, const fs::path& kernmill_task,
                               const fs::path& kernmill_exec) {
  const auto digest = [&](const fs::path& program) {
    return fs::is_regular_file(program) ? digests.sha256(program) : std::string{};
  };
  return {digest(kernmill_task), digest(kernmill_exec)};
}

std::variant<Recipe, NoRecipe> recipe_of(const Plan& plan, InstanceId id, const ResultOf& result_of,
                                         DigestStore& digests, const ProgramDigests& programs,
                                         const LeavingsOf& leavings_of) {
  try {
    return RecipeBuilder(plan, id, result_of, digests, programs, leavings_of).build();
  } catch (const NoRecipe& none) {
    return none;
  } catch (const ExpressionError& error) {
    return NoRecipe{error.message};
  }
}

std::string why_never_cached(const Plan& plan, std::uint32_t number, const ProgramDigests& programs) {
  const Stage& stage = plan.stage(number);
  if (!runs_command(stage)) return programs.task.empty() ? "the program kernmill-task was not found" : "";
  const Json outputs = stage.config.value("outputs", Json::array());
  if (!stage.inputs_declared || outputs.empty())
    return "a command without declared inputs and outputs always runs";
  if (passes_everything(stage)) return "a command with `pass_env: all` always runs: who knows what it uses";
  for (const std::uint32_t parent : unnamed_parents(plan, number)) {
    const Stage& of = plan.stage(parent);
    if (of.kind == TaskKind::command && of.config.value("outputs", Json::array()).empty())
      return why_unknown(of.name, "it declares no outputs");
  }
  return "";
}

std::vector<std::uint32_t> unnamed_parents(const Plan& plan, std::uint32_t number) {
  const Stage& stage = plan.stage(number);
  if (!runs_command(stage)) return {};
  const std::set<std::string> named = named_parents(stage);
  std::vector<std::uint32_t> parents;
  for (const Edge& edge : plan.parents(number)) {
    const std::string& name = plan.stage(edge.stage).name;
    if (!named.contains(name) && !is_order_only(stage, name)) parents.push_back(edge.stage);
  }
  return parents;
}

std::vector<std::uint32_t> result_parents(const Plan& plan, std::uint32_t number) {
  const Stage& stage = plan.stage(number);
  const std::set<std::string> named = named_parents(stage);
  std::vector<std::uint32_t> parents;
  for (const Edge& edge : plan.parents(number)) {
    const std::string& name = plan.stage(edge.stage).name;
    if (named.contains(name) || !is_order_only(stage, name)) parents.push_back(edge.stage);
  }
  return parents;
}

}  // namespace kernmill
