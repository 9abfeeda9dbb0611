#pragma once
#include <functional>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "kernmill/plan/plan.hpp"
#include "kernmill/run/cache/digest.hpp"
#include "kernmill/run/journal/instance_result.hpp"
#include "kernmill/workflow/env_source.hpp"

namespace kernmill {

/// All that the result of an instance depends on: {kind, config, inputs by SHA-256, program by SHA-256}, and
/// for a command its env (hidden; of a secret, where it comes from) with what `pass_env` gives it (not what
/// looks like a secret), matrix, modules, setup, container and python, and what the stages that it waits for
/// left (ADR 0016). How many ranks it runs on is no part of it. Two instances with the same key would leave
/// the same.
struct Recipe {
  Json body = Json::object();
  std::map<std::string, std::string> input_names;  ///< what people call each of body's inputs; and the code
  std::string key;                                 ///< recipe_key(body)
};

/// JSON as one text that does not depend on the order of keys or on how a number was spelled (1, 1.0, 1e0).
std::string canonical_json(const Json& json);
/// SHA-256 of the canonical JSON, in hex.
std::string recipe_key(const Json& body);

/// What a recipe has of a variable's value: enough to see that it changed. A secret has its place elsewhere
/// (env_source.hpp): this can be guessed at.
std::string hidden_value(const std::string& variable, const Json& value);

/// The programs that do the work, by SHA-256; empty: not there.
struct ProgramDigests {
  std::string task;  ///< kernmill-task
  std::string exec;  ///< kernmill-exec, which does the reduce of a tune stage
  /// What a stage is passed of the environment of who starts it. Empty: nothing is.
  std::function<Variables(const Stage&)> passed = {};
};
ProgramDigests program_digests(DigestStore& digests, const std::filesystem::path& kernmill_task,
                               const std::filesystem::path& kernmill_exec);

/// Why an instance has no recipe (now): "prepare will run first", "a command is cached when ...".
struct NoRecipe {
  std::string why;
};

/// The recipe of an instance, as far as the results of those that it refers to are known. References to
/// metrics stand in it by their values, references to artifacts by their content. A file that cannot be read
/// makes a NoRecipe.
/// Of the stages that a command waits for, and reads what it does not name, all that they left is part of it:
/// `leavings_of` gives that of whole stages; without it, it is put together from `result_of`.
std::variant<Recipe, NoRecipe> recipe_of(const Plan& plan, InstanceId id, const ResultOf& result_of,
                                         DigestStore& digests, const ProgramDigests& programs,
                                         const LeavingsOf& leavings_of = {});

/// Why no instance of this stage can ever have a recipe, in constant time; empty when they can.
std::string why_never_cached(const Plan& plan, std::uint32_t stage, const ProgramDigests& programs);

/// The parents whose results the recipes of this stage depend on (others it only waits for), once each.
std::vector<std::uint32_t> result_parents(const Plan& plan, std::uint32_t stage);
/// Those of them that a command does not name: it may read anything that they leave.
std::vector<std::uint32_t> unnamed_parents(const Plan& plan, std::uint32_t stage);

/// What differs between two recipes, in words, most telling first: "input data/iris.csv changed",
/// "setting model.C changed (1.0 -> 10.0)", "program kernmill-task changed". Empty when they have one key.
std::vector<std::string> differences(const Recipe& before, const Recipe& now);

}  // namespace kernmill
