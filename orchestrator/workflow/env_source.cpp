#include "kernmill/workflow/env_source.hpp"

#include <algorithm>
#include <array>
#include <cctype>

#include <fmt/format.h>

#include "kernmill/workflow/command_stage.hpp"

namespace kernmill {
namespace {

/// The last word of API_KEY, apiKey or api-key, in small letters.
std::string last_word(std::string_view name) {
  std::string word;
  for (auto c = name.rbegin(); c != name.rend() && std::isalnum(static_cast<unsigned char>(*c)) != 0; ++c) {
    const bool small = std::islower(static_cast<unsigned char>(*c)) != 0;
    if (!word.empty() && small && std::isupper(static_cast<unsigned char>(word.back())) != 0) break;
    word += *c;
  }
  std::reverse(word.begin(), word.end());
  std::transform(word.begin(), word.end(), word.begin(), [](unsigned char c) { return std::tolower(c); });
  return word;
}

void add(std::vector<std::string>& names, const std::string& name) {
  if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
}

}  // namespace

std::optional<EnvSource> env_source(const Json& value) {
  if (!value.is_object()) return {};
  if (value.value("from", "") == "file") return EnvSource{EnvSource::From::file, value.value("path", "")};
  return EnvSource{EnvSource::From::environment, value.value("name", "")};
}

std::vector<std::string> variables_needed(const Workflow& workflow, const Stage& stage) {
  std::vector<std::string> names;
  for (const auto& [variable, value] : stage.env.items())
    if (const auto source = env_source(value); source && source->from == EnvSource::From::environment)
      add(names, source->name);
  if (takes_key_from_environment(workflow, stage)) add(names, workflow.encryption.key_env);
  return names;
}

bool takes_key_from_environment(const Workflow& workflow, const Stage& stage) {
  const std::string& key = workflow.encryption.key_env;
  return !runs_command(stage) && !key.empty() && !stage.env.contains(key);
}

std::string handed_over_name(std::string_view variable) {
  return fmt::format("KERNMILL_FROM_ENV_{}", variable);
}

bool looks_like_a_secret(std::string_view name, std::string_view value) {
  constexpr std::size_t shortest = 8;
  constexpr std::array words{"token",   "tokens",     "password",    "passwd", "passphrase", "secret",
                             "secrets", "credential", "credentials", "apikey", "key"};
  const bool may_be_one = value.size() >= shortest && value.find_first_of(" \t\n<[{$") == value.npos &&
                          value.find_first_of("/~.") != 0 &&
                          value.find_first_not_of("0123456789.") != value.npos;
  return may_be_one && std::find(words.begin(), words.end(), last_word(name)) != words.end();
}

}  // namespace kernmill
