#pragma once
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "kernmill/storage/sealed/key.hpp"
#include "kernmill/storage/transport/settings.hpp"
#include "kernmill/tasks/support/json.hpp"
#include "kernmill/tasks/support/task_error.hpp"

namespace kernmill::tasks {

/// spec.json: everything that the orchestrator decided for one attempt (see tasks/README.md).
struct Spec {
  std::string kind, run, stage;
  int instance = 0;
  int attempt = 1;
  Json config = Json::object();
  std::map<std::string, std::filesystem::path, std::less<>> inputs;  ///< by the setting that named them
  std::filesystem::path output_directory;
  std::filesystem::path checkpoint_directory;  ///< empty for a kind without checkpoints
  std::optional<storage::Key> key;  ///< what is written is encrypted with it; from where `encryption` says

  storage::TransportSettings transport{};

  /// The path of an input. Throws SpecError when the spec lacks it.
  [[nodiscard]] const std::filesystem::path& input(std::string_view setting) const;
};

/// Throws SpecError: which file, and what is wrong with it. `kind` must be the spec's own. Throws
/// storage::Error when the key cannot be had.
Spec read_spec(const std::filesystem::path& file, std::string_view kind);

/// A setting by its dotted name ("model.l2") below `config`. Throws SpecError when it is missing: defaults
/// are the orchestrator's to fill in, never a task's.
const Json& setting(const Json& config, std::string_view dotted_name);

/// The same, converted. Throws SpecError when it is missing or of another type.
template <class T>
T setting_as(const Json& config, std::string_view dotted_name) {
  const Json& value = setting(config, dotted_name);
  try {
    return value.get<T>();
  } catch (const Json::exception&) {
    throw SpecError("spec.json: setting '" + std::string(dotted_name) + "' is " + value.dump() +
                    ", which is not of the type that it should have");
  }
}

}  // namespace kernmill::tasks
