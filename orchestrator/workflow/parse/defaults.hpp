#pragma once
#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "kernmill/workflow/parse/stop_signal.hpp"
#include "kernmill/workflow/settings/settings_reader.hpp"

namespace kernmill {

/// The settings that a stage, `defaults:`, a profile and the site file have in common. A stronger one is laid
/// over a weaker one key by key; lists replace each other.
struct CommonSettings {
  Json resources = Json::object();
  std::map<std::string, Where> resource_where;  ///< by canonical name: the value's place
  Json env = Json::object();
  Json retries = Json::object();
  Json bad_nodes = Json::object();  ///< of the outer defaults: a stage has none of its own
  Json storage = Json::object();    ///< likewise
  std::optional<std::chrono::seconds> stall;
  std::optional<std::vector<std::string>> modules, setup;
  std::optional<std::string> container, python;
  std::optional<std::vector<std::string>> pass_env;
  std::optional<StopSignal> signal;
};

CommonSettings read_common(SettingsReader& reader, const Fields& fields, Diagnostics& diagnostics);
/// `storage` of one level over that of a weaker one: hints are merged by name.
Json storage_over(Json weaker, const Json& stronger);
CommonSettings lay_over(CommonSettings weaker, const CommonSettings& stronger);

}  // namespace kernmill
