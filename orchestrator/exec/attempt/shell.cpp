#include "kernmill/exec/attempt/shell.hpp"

#include <cctype>
#include <charconv>
#include <cmath>
#include <sstream>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "kernmill/base/shell_word.hpp"
#include "kernmill/exec/attempt/plain_command.hpp"
#include "kernmill/exec/attempt/secrets.hpp"
#include "kernmill/exec/job/container.hpp"
#include "kernmill/os/durable_file.hpp"
#include "kernmill/workflow/value/json_text.hpp"

namespace kernmill::exec {
namespace {

namespace fs = std::filesystem;
constexpr const char* metrics_file = "metrics.txt";
constexpr const char* zeroth_word = "kernmill";       // $0
constexpr std::size_t longest_word = 128 * 1024 - 1;  // MAX_ARG_STRLEN, less the NUL at its end

/// A shell that is not interactive does not know `module` by itself.
constexpr const char* find_module = R"(set +e
type module >/dev/null 2>&1 || for init in /etc/profile.d/modules.sh /etc/profile.d/lmod.sh \
    /usr/share/modules/init/bash /usr/share/lmod/lmod/init/bash; do
  if [ -r "$init" ]; then . "$init"; break; fi
done
set -e
)";

std::string preparation(const Stage& stage) {
  std::string text = stage.modules.empty() ? "" : find_module;
  for (const std::string& module : stage.modules)
    text += fmt::format("module load {}\n", quoted_for_shell(module));
  for (const std::string& line : stage.setup) text += line + '\n';
  return text;
}

std::vector<std::string> bash(const std::string& text) {
  return {"/bin/bash", "-e", "-o", "pipefail", "-c", text};
}

std::string command_text(const Attempt& attempt) {
  const Json config = attempt.plan.config(attempt.id);
  const std::string restart = config.value("restart", "");
  const bool again = attempt.earlier_attempt_started && !restart.empty();
  std::string text = again ? restart : config.at("run").get<std::string>();
  if (oci_bundle(attempt.stage().container).empty()) return text;
  // The bundle says where its process begins.
  return fmt::format("cd {}\n{}", quoted_for_shell(attempt.plan.workflow().command_directory()), text);
}

bool is_metric_name(const std::string& name) {
  if (name.empty() || std::isdigit(static_cast<unsigned char>(name.front()))) return false;
  for (const char c : name)
    if (!std::isalnum(static_cast<unsigned char>(c)) &&
        std::string_view("_-./").find(c) == std::string_view::npos)
      return false;
  return true;
}

/// Numbers as JSON has them, and as C, Fortran and Python print them (".5", "5.", "+5", "1e-05"); booleans;
/// what is no finite number becomes one of the texts nan, inf and -inf. Anything else is a text, and so is a
/// whole number of more than 64 bits: as a real it would be another one.
Json metric_value(const std::string& text) {
  Json value = json_or_nothing(text);
  const bool is_whole = text.find_first_not_of("+-0123456789") == std::string::npos;
  if (value.is_number_float() && is_whole) return text;
  if (value.is_number() || value.is_boolean()) return value;
  const char* begin = text.data() + (text.starts_with('+') ? 1 : 0);
  double number = 0;
  const auto [end, error] = std::from_chars(begin, text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size() || text.starts_with("+-")) return text;
  if (std::isnan(number)) return "nan";
  if (std::isinf(number)) return number > 0 ? "inf" : "-inf";
  if (!is_whole) return number;
  return text.starts_with('+') ? metric_value(text.substr(1)) : Json(text);  // 007 is a name
}

/// A line that is none is left out, and told on stderr: what was computed is not lost over it.
Json read_metrics(const fs::path& file) {
  Json metrics = Json::object();
  if (!fs::exists(file)) return metrics;
  std::istringstream lines(read_file(file));
  int number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    if (line.empty()) continue;
    const std::size_t equals = line.find('=');
    const std::string name = line.substr(0, equals);
    if (equals == std::string::npos || !is_metric_name(name))
      fmt::print(
          stderr,
          "kernmill-exec: {}:{}: '{}' is no metric, and was left out; write name=value, the name of letters, "
          "digits and _ - . /\n",
          file.string(), number, line);
    else
      metrics[name] = metric_value(line.substr(equals + 1));
  }
  return metrics;
}

std::string text_of(const Json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

}  // namespace

std::vector<std::string> with_long_texts_in_files(const Attempt& attempt,
                                                  const std::vector<std::string>& words) {
  std::vector<std::string> result;
  int files = 0;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const bool is_text = i > 0 && words[i - 1] == "-c" && words[i].size() > longest_word;
    if (!is_text) {
      result.push_back(words[i]);
      continue;
    }
    const fs::path file = attempt.file(fmt::format("command-{}.sh", ++files));
    write_file_durably(file, words[i]);
    result.back() = file.string();                                 // in place of -c
    if (i + 1 < words.size() && words[i + 1] == zeroth_word) ++i;  // the file is $0 now
  }
  return result;
}

std::vector<std::string> command_words(const Attempt& attempt) {
  return bash(preparation(attempt.stage()) + command_text(attempt));
}

void set_command(SpawnOptions& spawn, const Attempt& attempt) {
  spawn.argv = command_words(attempt);
  // BASH_ENV is read by every shell, and could change what a word means.
  const bool prepared = !attempt.stage().modules.empty() || !attempt.stage().setup.empty();
  if (prepared || !value_of(spawn.env, "BASH_ENV").empty()) return;
  if (auto plain = plain_words(spawn.argv.back())) {
    spawn.otherwise = std::exchange(spawn.argv, std::move(*plain));  // a shell says what is wrong
    set(spawn.env, "PWD", spawn.work_dir);
  }
}

std::vector<std::string> command_words_alone(const Attempt& attempt) {
  return bash(command_text(attempt));
}

std::vector<std::string> with_setup(const Stage& stage, const std::vector<std::string>& words) {
  if (stage.modules.empty() && stage.setup.empty()) return words;
  std::vector<std::string> result = bash(preparation(stage) + "exec \"$@\"");
  result.emplace_back(zeroth_word);
  result.insert(result.end(), words.begin(), words.end());
  return result;
}

namespace {

/// What the stage's `env` says. What was handed over for it is in no other place from here on.
void add_named_variables(Environment& environment, const Attempt& attempt) {
  const HandedOver secrets(environment);
  const Json variables = resolve(attempt, attempt.plan.env(attempt.id));
  for (const auto& [name, value] : variables.items()) {
    const auto source = env_source(value);
    set(environment, name, source ? secrets.value_of(name, *source) : text_of(value));
  }
  if (!takes_key_from_environment(attempt.plan.workflow(), attempt.stage())) return;
  const std::string& key = attempt.plan.workflow().encryption.key_env;
  set(environment, key, secrets.value_of(key, {EnvSource::From::environment, key}));
}

}  // namespace

void add_variables(Environment& environment, const Attempt& attempt, const std::string& launch_prefix) {
  add_named_variables(environment, attempt);
  set(environment, "KERNMILL_RUN", attempt.run.root().string());
  set(environment, "KERNMILL_STAGE", attempt.stage().name);
  set(environment, "KERNMILL_INSTANCE", std::to_string(attempt.id.index));
  set(environment, "KERNMILL_ATTEMPT", std::to_string(attempt.number));
  if (attempt.stage().kind != TaskKind::command) return;
  set(environment, "KERNMILL_OUTPUT", attempt.directory().string());
  set(environment, "KERNMILL_METRICS", attempt.file(metrics_file).string());
  set(environment, "KERNMILL_LAUNCH", launch_prefix);
  const Json values = attempt.plan.written_values(attempt.id);
  for (const auto& [name, value] : values.items()) set(environment, matrix_variable(name), text_of(value));
}

Leavings command_leavings(const Attempt& attempt) {
  Leavings leavings;
  leavings.metrics = read_metrics(attempt.file(metrics_file));
  const Json outputs = attempt.plan.config(attempt.id).value("outputs", Json::array());
  for (const Json& output : outputs) {
    const std::string name = output.get<std::string>();
    const fs::path path = attempt.file(name);
    if (!fs::is_regular_file(path))
      throw AttemptError(
          fmt::format("the command ended well, but left no file '{}' in $KERNMILL_OUTPUT ({}), which its "
                      "`outputs` promise",
                      name, attempt.directory().string()));
    leavings.artifacts.emplace_back(name, path);
  }
  return leavings;
}

}  // namespace kernmill::exec
