#include "kernmill/tasks/support/spec.hpp"

#include <fstream>

#include <fmt/format.h>

namespace kernmill::tasks {
namespace {

Json parse_file(const std::filesystem::path& file) {
  std::ifstream in(file);
  if (!in) throw SpecError(fmt::format("cannot read the spec file {}", file.string()));
  try {
    return Json::parse(in);
  } catch (const Json::exception& e) {
    throw SpecError(fmt::format("{} is not valid JSON: {}", file.string(), e.what()));
  }
}

std::optional<storage::Key> key_from(const Json& encryption) {
  if (encryption.contains("key_file"))
    return storage::Key::from_file(setting_as<std::string>(encryption, "key_file"));
  return storage::Key::from_environment(setting_as<std::string>(encryption, "key_env"));
}

storage::TransportSettings transport_from(const Json& settings) {
  using Choice = storage::TransportSettings::Choice;
  storage::TransportSettings transport;
  const std::string choice = settings.value("transport", "auto");
  if (choice == "posix")
    transport.choice = Choice::posix;
  else if (choice == "mpiio")
    transport.choice = Choice::mpiio;
  else if (choice != "auto")
    throw SpecError(fmt::format("spec.json: storage.transport is '{}', not auto, posix or mpiio", choice));
  transport.hints = settings.value("hints", transport.hints);
  return transport;
}

Spec spec_from(const Json& json) {
  Spec spec;
  spec.kind = setting_as<std::string>(json, "kind");
  spec.run = json.value("run", "");
  spec.stage = json.value("stage", "");
  spec.instance = json.value("instance", 0);
  spec.attempt = json.value("attempt", 1);
  spec.config = setting(json, "config");
  for (const auto& [name, path] : setting(json, "inputs").items())
    spec.inputs.emplace(name, path.get<std::string>());
  spec.output_directory = setting_as<std::string>(json, "output_directory");
  spec.checkpoint_directory = json.value("checkpoint_directory", "");
  if (json.contains("storage")) spec.transport = transport_from(json.at("storage"));
  if (json.contains("encryption")) spec.key = key_from(json.at("encryption"));
  return spec;
}

}  // namespace

const std::filesystem::path& Spec::input(std::string_view name) const {
  const auto it = inputs.find(name);
  if (it == inputs.end()) throw SpecError(fmt::format("spec.json: the input '{}' is missing", name));
  return it->second;
}

Spec read_spec(const std::filesystem::path& file, std::string_view kind) {
  const Json json = parse_file(file);
  if (!json.is_object() || json.value("schema_version", 0) != schema_version)
    throw SpecError(fmt::format("{} is not a spec of schema version {}", file.string(), schema_version));
  try {
    Spec spec = spec_from(json);
    if (spec.kind != kind)
      throw SpecError(fmt::format("{} is of kind '{}', not '{}'", file.string(), spec.kind, kind));
    return spec;
  } catch (const Json::exception& e) {
    throw SpecError(fmt::format("{}: {}", file.string(), e.what()));
  }
}

const Json& setting(const Json& config, std::string_view dotted_name) {
  const Json* at = &config;
  for (std::string_view rest = dotted_name; !rest.empty();) {
    const std::string key(rest.substr(0, rest.find('.')));
    rest.remove_prefix(std::min(key.size() + 1, rest.size()));
    if (!at->is_object() || !at->contains(key))
      throw SpecError(fmt::format("spec.json: the setting '{}' is missing", dotted_name));
    at = &at->at(key);
  }
  return *at;
}

}  // namespace kernmill::tasks
