#include "kernmill/slurm/options/options.hpp"

#include <algorithm>
#include <stdexcept>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "kernmill/base/did_you_mean.hpp"
#include "kernmill/slurm/options/option_table.hpp"
#include "kernmill/slurm/options/value_formats.hpp"

namespace kernmill::slurm {
namespace {

const Option* find(const std::string& name) {
  for (const Option& option : option_table()) {
    if (option.name == name) return &option;
  }
  return nullptr;
}

std::string unknown(const std::string& name) {
  const auto names = known_options();
  const std::string meant = did_you_mean(name, names, "--{}");
  return fmt::format("unknown option --{}{}; known: {}", name, meant.empty() ? "" : ": " + meant,
                     fmt::join(names, ", "));
}

bool has_control_character(const std::string& text) {
  return std::any_of(text.begin(), text.end(), [](unsigned char c) { return c < ' ' || c == 0x7F; });
}

std::string apply(const Option& option, const std::string& value, std::time_t now, JobRequest& request) {
  if (has_control_character(value))
    return fmt::format("--{} has a control character in its value", option.name);
  if (option.value == Option::Value::none && !value.empty()) {
    return fmt::format("--{} takes no value, but is given \"{}\"", option.name, value);
  }
  if (option.value == Option::Value::required && value.empty()) {
    return fmt::format("--{} needs a value", option.name);
  }
  try {
    option.set(request, value, now);
  } catch (const std::invalid_argument& reason) {
    return fmt::format("--{}={}: {}", option.name, value, reason.what());
  }
  return {};
}

void check_together(const JobRequest& request, std::vector<std::string>& problems) {
  if (request.mem.has_value() + request.mem_per_cpu.has_value() + request.mem_per_gpu.has_value() > 1) {
    problems.emplace_back("--mem, --mem-per-cpu and --mem-per-gpu exclude one another: give one");
  }
  if (request.core_spec && request.thread_spec) {
    problems.emplace_back("--core-spec and --thread-spec exclude one another: give one");
  }
  if (request.ntasks_per_gpu &&
      (!request.gpus_per_task.empty() || !request.gpus_per_socket.empty() || request.ntasks_per_node)) {
    problems.emplace_back(
        "--ntasks-per-gpu excludes --gpus-per-task, --gpus-per-socket and --ntasks-per-node: give one");
  }
  if (request.begin && request.deadline && *request.deadline < *request.begin) {
    problems.emplace_back("--deadline lies before --begin");
  }
  if (request.distribution.arbitrary && request.nodelist.empty()) {
    problems.emplace_back("--distribution=arbitrary needs --nodelist");
  }
  if (!request.hint.empty() && (request.ntasks_per_core)) {
    problems.emplace_back("--hint excludes --ntasks-per-core: give one");
  }
}

}  // namespace

ParsedOptions parse_options(const BatchJob::Options& options, std::time_t now) {
  ParsedOptions parsed;
  for (const auto& [name, value] : options) {
    const Option* option = find(name);
    const std::string problem =
        option == nullptr ? unknown(name) : apply(*option, value, now, parsed.request);
    if (!problem.empty()) parsed.problems.push_back(problem);
  }
  try {
    if (!parsed.request.nodelist.empty()) count_hosts(parsed.request.nodelist);
  } catch (const std::invalid_argument& reason) {
    parsed.problems.push_back(fmt::format("--nodelist: {}", reason.what()));
  }
  check_together(parsed.request, parsed.problems);
  return parsed;
}

std::vector<std::string> known_options() {
  std::vector<std::string> names;
  for (const Option& option : option_table()) names.emplace_back(option.name);
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace kernmill::slurm
