#include "kernmill/exec/attempt/spec.hpp"

#include <fmt/format.h>

#include "kernmill/os/durable_file.hpp"
#include "kernmill/workflow/value/json_text.hpp"

namespace kernmill::exec {
namespace {

Json best_configuration(const std::string& path) {
  const Json best = json_or_nothing(read_file(path));
  if (!best.is_object() || !best.contains("train") || !best["train"].is_object())
    throw AttemptError(
        fmt::format("{} is no best.json: it holds no map `train`, the configuration to train with", path));
  return best["train"];
}

}  // namespace

Json laid_over(const Json& base, const Json& over) {
  if (!base.is_object() || !over.is_object()) return over;
  if (over.contains("type") && base.contains("type") && over["type"] != base["type"]) return over;
  Json result = base;
  for (const auto& [key, value] : over.items())
    result[key] = base.contains(key) ? laid_over(base[key], value) : value;
  return result;
}

Json make_spec(const Attempt& attempt) {
  const Stage& stage = attempt.stage();
  Json config = resolve(attempt, attempt.plan.config(attempt.id));
  Json inputs = Json::object();
  for (const Input& input : attempt.plan.inputs(attempt.id)) {
    const std::string path = input_path(attempt, input);
    if (input.key == "config")
      config = laid_over(best_configuration(path), config);
    else
      inputs[input.key] = path;
  }
  config.erase("tune_stage");
  Json spec{{"schema_version", 1},
            {"kind", to_string(stage.kind)},
            {"run", attempt.run.name()},
            {"stage", stage.name},
            {"instance", attempt.id.index},
            {"attempt", attempt.number},
            {"config", config},
            {"inputs", inputs},
            {"output_directory", attempt.directory().string()},
            {"checkpoint_directory", attempt.checkpoints().string()}};
  if (const Encryption& encryption = attempt.plan.workflow().encryption; encryption.on())
    spec["encryption"] = to_json(encryption);
  if (Json storage = to_json(attempt.plan.workflow().storage); !storage.empty())
    spec["storage"] = std::move(storage);
  return spec;
}

}  // namespace kernmill::exec
