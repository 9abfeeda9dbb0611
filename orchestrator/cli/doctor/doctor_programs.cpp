#include <sstream>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include "kernmill/cli/doctor/captured.hpp"
#include "kernmill/cli/doctor/doctor_checks.hpp"
#include "kernmill/exec/job/launcher.hpp"
#include "kernmill/workflow/value/json_text.hpp"

namespace fs = std::filesystem;

namespace kernmill::cli::doctor {
namespace {

using Status = Check::Status;
constexpr std::chrono::seconds timeout{30};
constexpr int ranks = 2;

/// The lines of `kernmill-task --check`: a rank that is alone prints one, and so does rank 0 of several.
std::vector<Json> self_checks(const std::string& output) {
  std::vector<Json> found;
  std::istringstream lines(output);
  for (std::string line; std::getline(lines, line);) {
    Json json = json_or_nothing(line);
    if (json.is_object() && json.contains("ranks")) found.push_back(std::move(json));
  }
  return found;
}

std::string last_line(const std::string& text) {
  std::string last = "it printed nothing";
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);)
    if (!line.empty()) last = line;
  return last;
}

bool is_runnable(const fs::path& program) {
  std::error_code none;
  return fs::is_regular_file(program, none) && ::access(program.c_str(), X_OK) == 0;
}

Check present(const char* name, const char* variable, const fs::path& program) {
  Check check{.group = "Programs", .name = name, .text = program.string(), .advice = {}};
  if (is_runnable(program)) return check;
  check.status = Status::fail;
  check.text = fmt::format("{} is no program that can be run", program.string());
  check.advice = fmt::format("install it beside kernmill, or name it in {}", variable);
  return check;
}

Check library(const char* name, const std::string& text) {
  return {.group = "Programs", .name = name, .text = text, .advice = {}};
}

/// One rank, without a launcher: does the program start, and with which libraries?
std::vector<Check> check_task(const fs::path& task, const exec::Environment& env) {
  Check starts{.group = "Programs", .name = "start of a task", .text = {}, .advice = {}};
  const Captured one = run_captured({task.string(), "--check"}, env, timeout);
  const auto found = self_checks(one.output);
  if (one.exit_code != 0 || found.empty()) {
    starts.status = Status::fail;
    starts.text = one.timed_out ? "kernmill-task --check does not end" : last_line(one.output);
    starts.advice = fmt::format("run {} --check by hand: it says what it lacks", task.string());
    return {starts};
  }
  const Json& self = found.front();
  const std::string blas = self.value("blas", ""), blas_kernels = self.value("blas_kernels", "");
  starts.text = self.value("program", "");
  starts.values = self;
  return {starts,
          library("MPI", self.value("mpi", "")),
          library("HDF5", self.value("hdf5", "")),
          library("Kokkos", self.value("kokkos", "")),
          library("BLAS", (blas.empty() ? "built in" : blas) +
                              (blas_kernels.empty() ? "" : ", kernels " + blas_kernels)),
          library("loops", self.value("loops", "baseline"))};
}

}  // namespace

Check judge_launch(Check check, const std::string& command, int exit_code, bool timed_out,
                   const std::string& output, int wanted) {
  const auto found = self_checks(output);
  const bool together =
      found.size() == 1 && found[0].value("ranks", 0) == wanted && found[0].value("sum_is_right", false);
  check.values = {{"command", command}, {"exit_code", exit_code}, {"ranks", wanted}};
  if (exit_code == 0 && together) {
    check.text = fmt::format("{} ranks found each other ({})", wanted, command);
    return check;
  }
  check.status = Status::fail;
  check.advice =
      "KERNMILL_LAUNCHER_TEMPLATE names the command that starts ranks, for instance mpiexec -n {ntasks}";
  if (timed_out) {
    check.text = fmt::format("{} does not end", command);
  } else if (found.size() > 1) {
    check.text = fmt::format("{} starts {} programs that do not know each other", command, found.size());
    check.advice =
        fmt::format("it belongs to another MPI than kernmill-task ({}); ", found[0].value("mpi", "")) +
        check.advice;
  } else {
    check.text = fmt::format("{}: {} (exit status {})", command, last_line(output), exit_code);
  }
  return check;
}

std::vector<Check> check_programs(const Programs& programs) {
  std::vector<Check> checks{present("kernmill-exec", "KERNMILL_EXEC", programs.exec),
                            present("kernmill-task", "KERNMILL_TASK", programs.task)};
  if (checks.back().status != Status::ok) return checks;
  Resources resources;
  const exec::Environment env = exec::step_environment(exec::own_environment(), resources);
  for (Check& check : check_task(programs.task, env)) checks.push_back(std::move(check));
  if (checks.back().status != Status::ok) return checks;
  resources.ntasks = ranks;
  const std::string launcher = environment("KERNMILL_LAUNCHER_TEMPLATE", "mpiexec -n {ntasks}");
  std::vector<std::string> words = exec::launch_words(launcher, resources);
  const std::string command = fmt::format("{}", fmt::join(words, " "));
  words.insert(words.end(), {programs.task.string(), "--check"});
  const Captured launched = run_captured(words, env, timeout);
  checks.push_back(judge_launch({.group = "Programs", .name = "MPI launch", .text = {}, .advice = {}},
                                command, launched.exit_code, launched.timed_out, launched.output, ranks));
  return checks;
}

}  // namespace kernmill::cli::doctor
