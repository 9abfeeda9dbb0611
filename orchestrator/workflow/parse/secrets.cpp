#include "kernmill/workflow/parse/secrets.hpp"

#include <filesystem>

#include <fmt/format.h>

#include "kernmill/base/shell_word.hpp"
#include "kernmill/workflow/env_source.hpp"

namespace kernmill {
namespace {

namespace fs = std::filesystem;

bool is_written_out(const std::string& name, const Value& value) {
  return value.is_string() && !value.is_template() && looks_like_a_secret(name, value.text);
}

}  // namespace

void warn_of_secrets(const Value& env, Diagnostics& diagnostics) {
  const auto* map = std::get_if<Value::Map>(&env.data);
  if (map == nullptr) return;
  for (const auto& entry : *map)
    if (is_written_out(entry.key, entry.value))
      diagnostics.warning(
          entry.key_where,
          fmt::format("'{}' looks like a secret, and its value is kept in plan.json of the run", entry.key),
          fmt::format(
              "{0}: {{from: env}} takes it from your environment, {0}: {{from: file, path: FILE}} from "
              "a file; neither is written anywhere",
              entry.key));
}

void warn_of_secret_param(const std::string& name, const Value& value, const Where& where,
                          Diagnostics& diagnostics) {
  if (is_written_out(name, value))
    diagnostics.warning(
        where, fmt::format("'{}' looks like a secret, and parameters are kept in plan.json of the run", name),
        "give it as a variable that is written nowhere: env: {TOKEN: {from: env}}");
}

void warn_of_written_key(const Stage& stage, const Encryption& encryption, Diagnostics& diagnostics) {
  const auto key = stage.env.find(encryption.key_env);
  if (encryption.key_env.empty() || key == stage.env.end() || !key->is_string()) return;
  diagnostics.warning(stage.where,
                      fmt::format("the key that 'encryption' takes from {} stands in 'env', and is kept in "
                                  "plan.json of the run",
                                  encryption.key_env),
                      "take it out, and export it before the run: that is where tasks get it from");
}

void place_secret_files(StageDraft& stage, const Draft& draft) {
  for (auto& [name, value] : stage.stage.env.items()) {
    const auto source = env_source(value);
    if (!source || source->from != EnvSource::From::file) continue;
    const std::string file = (draft.base_directory / fs::path(source->name)).lexically_normal().string();
    value["path"] = file;
    if (!draft.files.key_problem) continue;
    if (const std::string problem = draft.files.key_problem(file); !problem.empty()) {
      const Field* env = stage.fields.find("env");
      draft.diagnostics.error(env != nullptr ? env->value->where : stage.stage.where,
                              fmt::format("'{}' cannot come from {}: {}", name, file, problem),
                              fmt::format("make it yours alone: chmod 600 {}", word_for_shell(file)));
    }
  }
}

}  // namespace kernmill
