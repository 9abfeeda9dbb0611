#include "kernmill/exec/attempt/told_environment.hpp"

#include <algorithm>
#include <fstream>

#include "kernmill/exec/attempt/secrets.hpp"
#include "kernmill/os/file_descriptor.hpp"
#include "kernmill/os/file_mode.hpp"
#include "kernmill/run/directory/run_directory.hpp"
#include "kernmill/workflow/env_source.hpp"

namespace kernmill::exec {
namespace {

bool has(const Environment& environment, const std::string& name, const std::string& value) {
  return std::find(environment.begin(), environment.end(), std::pair(name, value)) != environment.end();
}

/// `from`, and `value` where it may be shown.
Json told(const std::string& name, const std::string& value, const Environment& own,
          const Environment& passed, const Attempt& attempt) {
  const Json named = attempt.stage().env;
  if (const auto found = named.find(name); found != named.end()) {
    if (const auto source = env_source(*found))
      return {{"from", source->from == EnvSource::From::file
                           ? "a secret, from " + source->name
                           : "a secret, from " + source->name + " of who started it"}};
    if (looks_like_a_secret(name, value)) return {{"from", "env"}};
    return {{"from", "env"}, {"value", value}};
  }
  if (takes_key_from_environment(attempt.plan.workflow(), attempt.stage()) &&
      name == attempt.plan.workflow().encryption.key_env)
    return {{"from", "encryption"}};
  if (has(passed, name, value)) return {{"from", "pass_env"}};
  if (name.starts_with("SLURM")) return {{"from", "Slurm"}, {"value", value}};
  const bool is_of_job = !name.starts_with("KERNMILL_") && has(own, name, value);
  if (looks_like_a_secret(name, value)) return {{"from", "job"}};
  return {{"from", is_of_job ? "job" : "kernmill"}, {"value", value}};
}

}  // namespace

Json told_environment(const Environment& environment, const Environment& own, const Attempt& attempt) {
  const Environment passed = passed_to_job(own);
  Json variables = Json::object();
  for (const auto& [name, value] : environment) variables[name] = told(name, value, own, passed, attempt);
  const Stage& stage = attempt.stage();
  Json all{{"schema_version", 1}, {"variables", std::move(variables)}};
  if (!stage.modules.empty()) all["modules"] = stage.modules;
  if (!stage.python.empty()) all["python"] = stage.python;
  if (!stage.setup.empty()) all["setup"] = stage.setup;
  if (!stage.container.empty()) all["container"] = stage.container;
  return all;
}

void leave_environment(const Json& told, const std::filesystem::path& folder) {
  const std::filesystem::path file = folder / environment_file;
  FileDescriptor(open_log(file.c_str())).reset();  // with the permissions of its folder
  std::ofstream(file, std::ios::trunc) << told.dump(1, ' ', false, Json::error_handler_t::replace) << '\n';
}

}  // namespace kernmill::exec
