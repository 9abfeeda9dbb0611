#include "kernmill/exec/job/srun.hpp"

#include <algorithm>
#include <array>
#include <fstream>
#include <string_view>

#include <fmt/format.h>

#include "kernmill/workflow/value/units.hpp"

namespace kernmill::exec {
namespace {

namespace fs = std::filesystem;

void add(std::vector<std::string>& words, const char* option, const std::string& value) {
  if (!value.empty()) words.push_back(fmt::format("{}={}", option, value));
}

/// Of the job's variables, those that would bind ranks, or contradict an option that is given.
bool does_harm(std::string_view name) {
  for (const std::string_view prefix : {"SLURM_CPU_BIND", "SLURM_MEM_BIND", "SLURM_MEM_PER_"})
    if (name.starts_with(prefix)) return true;
  constexpr std::array names{"SLURM_EXPORT_ENV", "SLURM_GET_USER_ENV", "SLURM_DISTRIBUTION",
                             "SLURM_HINT",       "SLURM_MPI_TYPE",     "SLURM_NTASKS_PER_NODE"};
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool contains_any(std::string_view line, std::initializer_list<std::string_view> texts) {
  return std::any_of(texts.begin(), texts.end(),
                     [&](std::string_view text) { return line.find(text) != std::string_view::npos; });
}

bool is_of_slurm(std::string_view line) {
  return line.starts_with("srun: ") || line.starts_with("slurmstepd");
}

void take_line(SrunReport& report, std::string_view line) {
  report.out_of_memory |=
      contains_any(line, {"exceeded memory limit", "oom_kill", "oom-kill", "Out Of Memory"});
  report.node_failed |= contains_any(line, {"Node failure on", "due to node failure", "NODE FAIL"});
  report.not_launched |= contains_any(line, {"Unable to create step", "Unable to confirm allocation"}) &&
                         contains_any(line, {"Unable to contact slurm controller", "Socket timed out",
                                             "Connection refused", "Communication connection failure",
                                             "Zero Bytes were transmitted", "Message connect failure"});
  // srun: error: Node failure on n3
  constexpr std::string_view failure = "Node failure on ";
  if (const std::size_t at = line.find(failure); at != std::string_view::npos) {
    line.remove_prefix(at + failure.size());
    report.failed_node = line.substr(0, line.find_first_of(" ,[:"));
  }
}

}  // namespace

int ranks_of(const Resources& resources, const BatchPlace& place) {
  return resources.ntasks_by_node ? std::max(resources.ntasks_per_node, 1) * place.nodes : resources.ntasks;
}

std::vector<std::string> srun_words(const Resources& resources, const BatchPlace& place,
                                    const std::string& container) {
  const int ranks = ranks_of(resources, place);
  // A rank that dies leaves the others spinning: srun ends them after 3 seconds, and still returns its
  // status.
  std::vector<std::string> words{"srun", "--mpi=pmi2", "--kill-on-bad-exit=0", "--wait=3"};
  add(words, "--nodes", std::to_string(std::min(place.nodes, ranks)));
  add(words, "--ntasks", std::to_string(ranks));
  if (resources.ntasks_per_node > 0)
    add(words, "--ntasks-per-node", std::to_string(resources.ntasks_per_node));
  add(words, "--cpus-per-task", std::to_string(resources.cpus_per_task));
  if (place.mem > 0)
    add(words, "--mem", sbatch_memory(place.mem));
  else if (place.mem_per_cpu > 0)
    add(words, "--mem-per-cpu", sbatch_memory(place.mem_per_cpu));
  add(words, "--gpus", resources.gpus);
  add(words, "--gpus-per-node", resources.gpus_per_node);
  add(words, "--gpus-per-task", resources.gpus_per_task);
  add(words, "--gres", resources.gres);
  // Ranks choose their device themselves, and may copy between all of a node.
  if (!resources.gpus.empty() || !resources.gpus_per_node.empty()) words.emplace_back("--gpu-bind=none");
  add(words, "--container", container);
  return words;
}

Environment srun_environment(const Environment& own, const Resources& resources) {
  Environment environment = step_environment(own, resources);
  for (const auto& [name, value] : own)
    if (name.starts_with("SLURM_") && !does_harm(name)) set(environment, name, value);
  return environment;
}

SrunReport read_srun_report(const fs::path& err, std::uintmax_t offset) {
  SrunReport report;
  std::error_code none;
  const std::uintmax_t size = fs::file_size(err, none);
  if (none) return report;
  constexpr std::uintmax_t enough = 64 * 1024;
  std::ifstream file(err);
  file.seekg(static_cast<std::streamoff>(std::max(offset, size - std::min(size, enough))));
  for (std::string line; std::getline(file, line);)
    if (is_of_slurm(line)) take_line(report, line);
  return report;
}

}  // namespace kernmill::exec
