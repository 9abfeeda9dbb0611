#include "kernmill/exec/attempt/shell.hpp"

#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "kernmill/base/file_pattern.hpp"
#include "kernmill/base/shell_word.hpp"
#include "kernmill/exec/attempt/continuation.hpp"
#include "kernmill/exec/attempt/gathered.hpp"
#include "kernmill/exec/attempt/metrics_file.hpp"
#include "kernmill/exec/attempt/plain_command.hpp"
#include "kernmill/exec/attempt/secrets.hpp"
#include "kernmill/exec/job/container.hpp"
#include "kernmill/exec/job/rendezvous.hpp"
#include "kernmill/os/durable_file.hpp"
#include "kernmill/run/cache/tree.hpp"
#include "kernmill/run/journal/open_attempts.hpp"
#include "kernmill/workflow/command_stage.hpp"
#include "kernmill/workflow/outputs.hpp"
#include "kernmill/workflow/value/json_text.hpp"

namespace kernmill::exec {
namespace {

namespace fs = std::filesystem;
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

/// What `activate` of a venv and of conda do for a program. After the modules: those may bring a Python, too.
constexpr const char* activate_python = R"(unset PYTHONHOME
if [ -d {0}/conda-meta ]; then
  export CONDA_PREFIX={0} CONDA_DEFAULT_ENV={0}
else
  export VIRTUAL_ENV={0}
fi
export PATH={0}/bin:"$PATH"
if [ -n "$CONDA_PREFIX" ]; then
  set +e
  for script in {0}/etc/conda/activate.d/*.sh; do if [ -r "$script" ]; then . "$script"; fi; done
  set -e
fi
)";

bool is_prepared(const Stage& stage) {
  return !stage.modules.empty() || !stage.setup.empty() || !stage.python.empty();
}

std::string preparation(const Stage& stage) {
  std::string text = stage.modules.empty() ? "" : find_module;
  for (const std::string& module : stage.modules)
    text += fmt::format("module load {}\n", quoted_for_shell(module));
  if (!stage.python.empty()) text += fmt::format(activate_python, quoted_for_shell(stage.python));
  for (const std::string& line : stage.setup) text += line + '\n';
  return text;
}

std::vector<std::string> bash(const std::string& text) {
  return {"/bin/bash", "-e", "-o", "pipefail", "-c", text};
}

std::string command_text(const Attempt& attempt) {
  const Json config = attempt.plan.config(attempt.id);
  const std::string restart = config.value("restart", "");
  std::string text = takes_restart(attempt, restart) ? restart : config.at("run").get<std::string>();
  if (oci_bundle(attempt.stage().container).empty()) return text;
  // The bundle says where its process begins.
  return fmt::format("cd {}\n{}", quoted_for_shell(attempt.plan.workflow().command_directory()), text);
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
  if (is_prepared(attempt.stage()) || !value_of(spawn.env, "BASH_ENV").empty()) return;
  if (auto plain = plain_words(spawn.argv.back())) {
    spawn.otherwise = std::exchange(spawn.argv, std::move(*plain));  // a shell says what is wrong
    set(spawn.env, "PWD", spawn.work_dir);
  }
}

std::vector<std::string> command_words_alone(const Attempt& attempt) {
  return bash(command_text(attempt));
}

std::vector<std::string> with_setup(const Stage& stage, const std::vector<std::string>& words) {
  if (!is_prepared(stage)) return words;
  std::vector<std::string> result = bash(preparation(stage) + "exec \"$@\"");
  result.emplace_back(zeroth_word);
  result.insert(result.end(), words.begin(), words.end());
  return result;
}

namespace {

/// What the stage's `pass_env` and, over it, its `env` say. What was handed over for it is in no other place
/// from here on.
void add_named_variables(Environment& environment, const Attempt& attempt) {
  const HandedOver secrets(environment);
  for (const auto& [name, value] : secrets.passed()) set(environment, name, value);
  const Json variables = resolve(attempt, attempt.plan.env(attempt.id));
  for (const auto& [name, value] : variables.items()) {
    const auto source = env_source(value);
    set(environment, name, source ? secrets.value_of(name, *source) : text_of(value));
  }
  if (!takes_key_from_environment(attempt.plan.workflow(), attempt.stage())) return;
  const std::string& key = attempt.plan.workflow().encryption.key_env;
  set(environment, key, secrets.value_of(key, {EnvSource::From::environment, key}));
}

/// An image may hold neither this program nor what it is linked with.
void add_launch(Environment& environment, const Attempt& attempt, const Launch& launch) {
  std::vector<std::string> words = launch.words;
  if (attempt.stage().container.empty())
    for (std::string& word : rank_starter()) words.push_back(std::move(word));
  set(environment, "KERNMILL_LAUNCH", fmt::format("{}", fmt::join(words, " ")));
  set(environment, "KERNMILL_RENDEZVOUS",
      !launch.rendezvous.empty() ? launch.rendezvous
                                 : rendezvous(launch.nodes, attempt_token(attempt.run, attempt.stage().name,
                                                                          attempt.id.index, attempt.number)));
}

}  // namespace

void add_variables(Environment& environment, const Attempt& attempt, const Launch& launch) {
  add_named_variables(environment, attempt);
  set(environment, "KERNMILL_RUN", attempt.run.root().string());
  set(environment, "KERNMILL_STAGE", attempt.stage().name);
  set(environment, "KERNMILL_INSTANCE", std::to_string(attempt.id.index));
  set(environment, "KERNMILL_ATTEMPT", std::to_string(attempt.number));
  if (!runs_command(attempt.stage())) return;
  set(environment, "KERNMILL_OUTPUT", attempt.directory().string());
  set(environment, "KERNMILL_METRICS", attempt.file(metrics_file).string());
  if (const fs::path gathered = gathered_path(attempt); !gathered.empty())
    set(environment, "KERNMILL_GATHERED", gathered.string());
  add_continuation(environment, attempt);
  add_launch(environment, attempt, launch);
  const Json values = attempt.plan.written_values(attempt.id);
  const bool is_trial = attempt.stage().kind == TaskKind::tune;
  for (const auto& [name, value] : values.items())
    set(environment, is_trial ? point_variable(name) : matrix_variable(name), text_of(value));
}

namespace {

/// What a command has left in place of an output; empty: what it promised.
std::string what_is_wrong(const DeclaredOutput& output, const fs::path& path) {
  if (output.folder && !is_file_pattern(fs::path(output.name).filename().string())) {
    if (fs::is_regular_file(path)) return fmt::format("left a file '{0}', and no folder '{0}/'", output.name);
    if (!fs::is_directory(path)) return fmt::format("left no folder '{}/'", output.name);
    return tree_at(path, Links::kept).has_files() ? "" : fmt::format("left nothing in '{}/'", output.name);
  }
  if (fs::is_regular_file(path)) return "";
  if (fs::is_directory(path))
    return fmt::format("left a folder '{0}', and no file (a folder is written `{0}/`)", output.name);
  if (!is_tree(path)) return fmt::format("left no file '{}'", output.name);
  return tree_at(path, Links::kept).has_files() ? ""
                                                : fmt::format("left nothing that matches '{}'", output.name);
}

void check_is_left(const Attempt& attempt, const DeclaredOutput& output) {
  const std::string wrong = what_is_wrong(output, attempt.file(output.name));
  if (!wrong.empty())
    throw AttemptError(
        fmt::format("the command ended well, but {} in $KERNMILL_OUTPUT ({}), which its `outputs` promise",
                    wrong, attempt.directory().string()));
}

}  // namespace

Leavings command_leavings(const Attempt& attempt) {
  Leavings leavings;
  Metrics metrics = read_metrics(attempt.file(metrics_file));
  leavings.metrics = std::move(metrics.last);
  if (!metrics.warning.empty())
    fmt::print(stderr, "kernmill-exec: {}; write name=value, the name of letters, digits and _ - . /\n",
               metrics.warning);
  leavings.warning = std::move(metrics.warning);
  leavings.has_history = metrics.has_history;
  for (const DeclaredOutput& output : outputs_of(attempt.plan.config(attempt.id))) {
    check_is_left(attempt, output);
    leavings.artifacts.emplace_back(output.name, attempt.file(output.name));
  }
  return leavings;
}

}  // namespace kernmill::exec
