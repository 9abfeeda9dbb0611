#include "kernmill/cli/commands/import_data.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include <fmt/format.h>
#include <unistd.h>

#include "kernmill/base/counted.hpp"
#include "kernmill/cli/runs/conduct.hpp"
#include "kernmill/cli/runs/load_workflow.hpp"
#include "kernmill/cli/runs/programs.hpp"
#include "kernmill/cli/runs/run_root.hpp"
#include "kernmill/os/durable_file.hpp"

namespace kernmill::cli {
namespace {

namespace fs = std::filesystem;
using Words = std::vector<std::string>;

/// A directory beside the file that is to be there in the end; it goes when this goes.
class Workshop {
 public:
  explicit Workshop(const fs::path& output) {
    std::string name = (fs::absolute(output).parent_path() / ".kernmill-import-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr)
      throw std::runtime_error(
          fmt::format("cannot write beside {}: {}", output.string(), std::strerror(errno)));
    path_ = name;
  }
  ~Workshop() {
    std::error_code none;
    fs::remove_all(path_, none);
  }
  Workshop(const Workshop&) = delete;
  Workshop& operator=(const Workshop&) = delete;
  [[nodiscard]] const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

/// What a conductor tells is told when it has ended.
class Silence : public Output {
 public:
  void begin(const RunDirectory&, const Plan&, const Progress&, bool) override {}
  void instance(const InstanceEvent&) override {}
  void stopping(bool, std::size_t) override {}
  void end(const RunResult&) override {}
};

std::string as_yaml(const fs::path& path) {
  return Json(fs::absolute(path).string()).dump();
}

/// The workflow that a command line means. Its settings stand in lines of their own, behind `lines_before`.
class ImportFlow {
 public:
  ImportFlow(const Arguments& arguments, const fs::path& input, Words settings)
      : settings_(std::move(settings)) {
    text_ = "name: import\n";
    if (arguments.has("key-file"))
      text_ += fmt::format("encryption: {{key_file: {}}}\n", as_yaml(arguments.text("key-file")));
    if (arguments.has("key-env"))
      text_ += fmt::format("encryption: {{key_env: {}}}\n", arguments.text("key-env"));
    text_ += fmt::format("stages:\n  data:\n    task: preprocess\n    input: {}\n", as_yaml(input));
    lines_before_ = static_cast<std::size_t>(std::count(text_.begin(), text_.end(), '\n'));
    for (const std::string& setting : settings_) {
      const std::size_t equals = setting.find('=');
      if (equals == 0 || equals == std::string::npos || setting.find('\n') != std::string::npos)
        throw UsageError(fmt::format("'{}' is no setting", setting),
                         "settings of a preprocess stage follow the file: target=species scale=standard");
      text_ += fmt::format("    {}: {}\n", setting.substr(0, equals), setting.substr(equals + 1));
    }
  }

  /// Shows the mistakes, without a workflow that the user never wrote. Nothing when there are errors.
  [[nodiscard]] std::optional<Workflow> parsed(const Arguments& arguments) const {
    Diagnostics diagnostics;
    Workflow workflow = parse_source(arguments, {"import", text_}, diagnostics);
    for (const Diagnostic& diagnostic : diagnostics.all())
      fmt::print(stderr, "{}", shown(diagnostic, arguments));
    if (diagnostics.has_errors()) return {};
    return workflow;
  }

 private:
  [[nodiscard]] std::string shown(const Diagnostic& diagnostic, const Arguments& arguments) const {
    const bool error = diagnostic.severity == Diagnostic::Severity::error;
    const Paint paint = arguments.err_paint();
    std::string text =
        fmt::format("{}: {}\n", paint(error ? Color::red : Color::yellow, error ? "error" : "warning"),
                    diagnostic.message);
    const std::size_t line = diagnostic.where.line;
    const bool of_setting = line > lines_before_ && line <= lines_before_ + settings_.size();
    if (of_setting) text += fmt::format("  in  {}\n", settings_[line - lines_before_ - 1]);
    const bool of_file = line == lines_before_;  // the help is about paths in a workflow
    if (!diagnostic.help.empty() && !of_file) text += fmt::format("help: {}\n", diagnostic.help);
    return text;
  }

  Words settings_;
  std::string text_;
  std::size_t lines_before_ = 0;
};

int tell_failure(const RunStatus& status, const Arguments& arguments) {
  for (const InstanceStatus& instance : status.instances) {
    if (instance.state != State::failed) continue;
    const std::string what =
        instance.message.empty() ? std::string(to_string(instance.cause)) : instance.message;
    fmt::print(stderr, "{}: {}\n", arguments.err_paint()(Color::red, "error"), what);
    if (!instance.help.empty()) fmt::print(stderr, "help: {}\n", instance.help);
  }
  return exit_failed;
}

std::string summary(const Json& metrics) {
  const auto count = [&](const char* name) { return metrics.value(name, std::uint64_t{0}); };
  std::string text = fmt::format("{}, {}: {} train, {} validation, {} test", counted(count("rows"), "row"),
                                 counted(count("features"), "feature"), count("train_rows"),
                                 count("validation_rows"), count("test_rows"));
  if (count("imputed") > 0) text += fmt::format("; {} imputed", counted(count("imputed"), "bad value"));
  return text;
}

/// Moves what the stage has left to where the user wants it, and says what it is.
void deliver(const InstanceStatus& stage, const fs::path& output, const Arguments& arguments) {
  Json told{{"schema_version", 1}, {"dataset", output.string()}, {"metrics", stage.metrics}};
  std::string text = fmt::format("{}: {}\n", output.string(), summary(stage.metrics));
  for (const Artifact& artifact : stage.artifacts) {
    fs::path to = output;
    if (artifact.name == "rejected") {
      to.replace_extension(".rejected.csv");
      const auto rows = stage.metrics.value("rejected", std::uint64_t{0});
      text += fmt::format("{}: {} left out\n", to.string(),
                          rows == 1 ? "1 row was" : fmt::format("{} rows were", rows));
      told["rejected"] = to.string();
    }
    fs::rename(artifact.path, to);
  }
  sync_directory(fs::absolute(output).parent_path());
  fmt::print("{}", arguments.json() ? told.dump(2) + "\n" : text);
}

}  // namespace

int import_data(const Arguments& arguments, const Hooks& hooks) {
  const Words words = arguments.texts("files");
  const fs::path output = arguments.text("output");
  if (words.empty() || output.empty())
    throw UsageError("import takes a file, and --output where the dataset goes",
                     "kernmill data import iris.csv --output iris.h5 target=species");
  auto workflow = ImportFlow(arguments, words.front(), {words.begin() + 1, words.end()}).parsed(arguments);
  if (!workflow) return exit_usage;
  const Workshop workshop(output);
  Plan plan(std::move(*workflow));
  check_variables(plan.workflow());
  Silence silence;
  NewRun made = freeze(plan, workshop.path());
  const Conducted run = conduct_to_the_end(made.directory, plan, /*resumed=*/false, arguments, silence, hooks,
                                           std::move(made.lock));
  if (run.outcome == RunOutcome::failed) return tell_failure(run.status, arguments);
  if (run.outcome != RunOutcome::done) return exit_interrupted;
  deliver(run.status.instances.at(0), output, arguments);
  return exit_done;
}

}  // namespace kernmill::cli
