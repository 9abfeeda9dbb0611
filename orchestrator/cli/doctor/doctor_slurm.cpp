#include <algorithm>
#include <chrono>

#include <fmt/format.h>
#include <unistd.h>

#include "kernmill/cli/doctor/captured.hpp"
#include "kernmill/cli/doctor/doctor_checks.hpp"
#include "kernmill/exec/job/launcher.hpp"
#include "kernmill/scheduler/cluster_loader.hpp"

namespace fs = std::filesystem;

namespace kernmill::cli::doctor {
namespace {

using Status = Check::Status;

Check slurm(const char* name) {
  return {.group = "Slurm", .name = name, .text = {}, .advice = {}};
}

/// The first line of an error, and the rest of it as advice.
void fail_with(Check& check, const std::string& error, Status status = Status::fail) {
  const std::size_t end = std::min(error.find('\n'), error.size());
  check.status = status;
  check.text = error.substr(0, end);
  check.advice = end < error.size() ? error.substr(end + 1) : "";
}

bool is_in_path(const char* program) {
  const std::string path = environment("PATH", "/usr/bin:/bin");
  for (std::size_t begin = 0; begin <= path.size();) {
    const std::size_t end = std::min(path.find(':', begin), path.size());
    if (::access((fs::path(path.substr(begin, end - begin)) / program).c_str(), X_OK) == 0) return true;
    begin = end + 1;
  }
  return false;
}

/// Whether somebody has set up Slurm for this user. Without that a plug-in that cannot be used harms nobody.
bool is_meant_to_be_used() {
  std::error_code none;
  return !environment("KERNMILL_SLURM_PLUGIN").empty() || !environment("SLURM_CONF").empty() ||
         fs::exists("/etc/slurm/slurm.conf", none);
}

/// "22.05" of "22.05.8" and of "Slurm 22.05.8": what the binary interface of libslurm depends on.
std::string release(const std::string& version) {
  const std::size_t begin = std::min(version.find_first_of("0123456789"), version.size());
  const std::size_t minor = version.find('.', begin);
  return version.substr(begin, minor == std::string::npos ? minor : version.find('.', minor + 1) - begin);
}

Check version_check(const Cluster& cluster, const ClusterFacts& facts) {
  Check check = slurm("release");
  check.text =
      fmt::format("the plug-in is for {}, the controller is {}", cluster.description(), facts.version);
  check.values = {{"plugin", cluster.description()}, {"controller", facts.version}};
  if (release(cluster.description()) != release(facts.version)) {
    check.status = Status::warning;
    check.advice =
        "build the plug-in with the headers of the controller's release: cmake --build BUILD --target "
        "kernmill_slurm";
  }
  return check;
}

Check capacity(const ClusterFacts& facts) {
  const auto up =
      std::count_if(facts.partitions.begin(), facts.partitions.end(), [](const auto& p) { return p.is_up; });
  const auto usable =
      std::count_if(facts.nodes.begin(), facts.nodes.end(), [](const auto& n) { return !n.is_down; });
  Check check = slurm("cluster");
  check.text = fmt::format("{}: {} of {} nodes usable, {} of {} partitions up, arrays up to {}", facts.name,
                           usable, facts.nodes.size(), up, facts.partitions.size(), facts.max_array_size);
  check.values = {{"name", facts.name},
                  {"nodes", facts.nodes.size()},
                  {"nodes_usable", usable},
                  {"partitions", facts.partitions.size()},
                  {"partitions_up", up},
                  {"max_array_size", facts.max_array_size},
                  {"accounts_known", facts.accounts.has_value()}};
  if (usable == 0 || up == 0) {
    check.status = Status::warning;
    check.advice = "jobs wait until nodes and partitions are up: sinfo -R says why they are not";
  }
  return check;
}

Check munge_by_itself() {
  Check check = slurm("munge");
  const Captured made = run_captured({"munge", "-n"}, exec::own_environment(), std::chrono::seconds(10));
  if (made.exit_code == 0) {
    check.text = "makes credentials";
    return check;
  }
  check.status = Status::warning;
  check.text = is_in_path("munge") ? made.output.substr(0, made.output.find('\n'))
                                   : "cannot be tried: there is no program munge";
  check.advice = "a controller that uses munge refuses whoever has no credential; is munged running here?";
  return check;
}

Check queue_launch(const Programs& programs) {
  const std::string command = "srun --mpi=pmi2 -n 2 -t 1";
  const std::vector<std::string> words{"srun",       "--mpi=pmi2",           "-n",     "2", "-t", "1",
                                       "--mem=100M", programs.task.string(), "--check"};
  const Captured launched = run_captured(words, exec::own_environment(), std::chrono::seconds(120));
  Check check = judge_launch(slurm("MPI launch in a job"), command, launched.exit_code, launched.timed_out,
                             launched.output, 2);
  if (launched.timed_out) check.text += " within 2 minutes: perhaps it waits for its turn";
  return check;
}

}  // namespace

std::vector<Check> check_slurm(const Programs& programs, bool deep) {
  Check plugin = slurm("plug-in");
  std::unique_ptr<Cluster> cluster;
  try {
    cluster = open_slurm();
    plugin.text = fmt::format("{} ({}, interface {})", find_slurm_plugin().string(), cluster->description(),
                              Cluster::interface_version);
  } catch (const ClusterError& error) {
    fail_with(plugin, error.what(), is_meant_to_be_used() ? Status::fail : Status::warning);
    if (find_slurm_plugin().empty() && !is_in_path("sbatch")) plugin.status = Status::note;
    if (plugin.status == Status::note) {
      plugin.text = "not installed, and there is no Slurm here: workflows run on this machine alone";
      plugin.advice.clear();
    }
    return {plugin};
  }
  Check controller = slurm("controller");
  try {
    const auto start = std::chrono::steady_clock::now();
    const ClusterFacts facts = cluster->facts();
    const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - start;
    controller.text = fmt::format("answers; what it has was listed in {:.0f} ms", took.count());
    controller.values = {{"milliseconds", took.count()}};
    Check munge = slurm("munge");
    munge.text = "the controller knows who you are";
    std::vector<Check> checks{plugin, controller, munge, version_check(*cluster, facts), capacity(facts)};
    if (deep) checks.push_back(queue_launch(programs));
    return checks;
  } catch (const ClusterError& error) {
    fail_with(controller, error.what());
    return {plugin, controller, munge_by_itself()};
  }
}

}  // namespace kernmill::cli::doctor
