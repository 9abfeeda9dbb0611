// For sites: plugstack.conf has "optional /.../kernmill_spank.so [interval=MILLISECONDS]".
//
// It sees the end of every rank from inside slurmstepd, also when a step is killed, and writes it into the
// journal of the run that the step belongs to (KERNMILL_RUN in its environment).
// Nothing that goes wrong here may harm a job: it is logged, and that is all.
extern "C" {
#include <slurm/spank.h>
}
#include <array>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <slurm/slurm.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kernmill/slurm/spank/journal_file.hpp"
#include "kernmill/slurm/spank/memory_watch.hpp"
#include "kernmill/slurm/spank/rank_event.hpp"
#include "kernmill/slurm/spank/run_folder.hpp"

extern "C" {
extern const char plugin_name[], plugin_type[];
extern const unsigned int plugin_version, spank_plugin_version;
SPANK_PLUGIN(kernmill, 1)
}

namespace kernmill::spank {
namespace {

/// The step whose slurmstepd this is; there is one in a process.
struct Step {
  std::string run;  ///< the run directory
  RankEnded common;
  StepJournal journal;
  std::uint32_t restart = 0;
  unsigned lost = 0;  ///< records that were not written
  MemoryWatch memory;
  Step(Owner owner, std::chrono::milliseconds interval) : journal(std::move(owner)), memory(interval) {}
};

std::unique_ptr<Step> step;
std::string option_value;
std::chrono::milliseconds interval{500};

std::string variable(spank_t handle, const char* name) {
  std::array<char, 4096> value{};
  const bool is_there =
      spank_getenv(handle, name, value.data(), static_cast<int>(value.size())) == ESPANK_SUCCESS;
  return is_there ? value.data() : "";
}

std::optional<unsigned> number(const std::string& text) {
  char* end = nullptr;
  const unsigned long value = std::strtoul(text.c_str(), &end, 10);
  return text.empty() || *end != '\0' ? std::nullopt : std::optional<unsigned>(static_cast<unsigned>(value));
}

template <class Value>
Value item(spank_t handle, spank_item_t which, Value otherwise = {}) {
  Value value = otherwise;
  return spank_get_item(handle, which, &value) == ESPANK_SUCCESS ? value : otherwise;
}

std::string job_name(spank_t handle) {
  const auto array = item<std::uint32_t>(handle, S_JOB_ARRAY_ID, 0);
  const auto task = item<std::uint32_t>(handle, S_JOB_ARRAY_TASK_ID, NO_VAL);
  if (array == 0 || task == NO_VAL) return std::to_string(item<std::uint32_t>(handle, S_JOB_ID));
  return std::to_string(array) + '_' + std::to_string(task);
}

std::string step_name(spank_t handle) {
  const auto id = item<std::uint32_t>(handle, S_JOB_STEPID);
  if (id == SLURM_BATCH_SCRIPT) return "batch";
  if (id == SLURM_EXTERN_CONT) return "extern";
  if (id == SLURM_INTERACTIVE_STEP) return "interactive";
  return std::to_string(id);
}

Owner owner_of(spank_t handle) {
  Owner owner{item<uid_t>(handle, S_JOB_UID), item<gid_t>(handle, S_JOB_GID), {}};
  gid_t* groups = nullptr;
  int count = 0;
  if (spank_get_item(handle, S_JOB_SUPPLEMENTARY_GIDS, &groups, &count) == ESPANK_SUCCESS && count > 0) {
    owner.groups.assign(groups, groups + count);
  }
  return owner;
}

std::string node_name(spank_t handle) {
  if (std::string name = variable(handle, "SLURMD_NODENAME"); !name.empty()) return name;
  std::array<char, 256> host{};
  return ::gethostname(host.data(), host.size() - 1) == 0 ? host.data() : "unknown";
}

/// The run that this step belongs to; empty when it is none of ours.
std::string run_of(spank_t handle) {
  if (std::string run = variable(handle, "KERNMILL_RUN"); run.starts_with('/')) return run;
  return option_value.starts_with('/') ? option_value : std::string();
}

void begin_step(spank_t handle) {
  std::string run = run_of(handle);
  if (run.empty()) return;
  auto begun = std::make_unique<Step>(owner_of(handle), interval);
  RankEnded& common = begun->common;
  common.job = job_name(handle);
  common.step = step_name(handle);
  common.stage = variable(handle, "KERNMILL_STAGE");
  common.instance = number(variable(handle, "KERNMILL_INSTANCE"));
  common.attempt = number(variable(handle, "KERNMILL_ATTEMPT"));
  begun->restart = item<std::uint32_t>(handle, S_SLURM_RESTART_COUNT, 0);
  begun->run = std::move(run);
  step = std::move(begun);
}

/// One slurmstepd writes it: that of this step on this node.
std::string file_of(const Step& of, const RankEnded& event) {
  return of.run + "/journal/" + event.job + '.' + std::to_string(of.restart) + '.' + event.node + ".spank-" +
         event.step + ".jsonl";
}

void end_rank(spank_t handle) {
  RankEnded event = step->common;
  event.node = node_name(handle);  // in the environment only when a task has ended
  event.rank = item<std::uint32_t>(handle, S_TASK_GLOBAL_ID);
  event.pid = item<pid_t>(handle, S_TASK_PID);
  event.status = item<int>(handle, S_TASK_EXIT_STATUS);
  event.memory = step->memory.take(event.pid);
  // How a batch script ends, Slurm and the script itself tell; that it was killed, perhaps nobody else.
  if (event.step == "batch" && !WIFSIGNALED(event.status)) return;
  const std::string file = file_of(*step, event);
  const int problem = step->journal.append(file, to_line(event, utc_timestamp()));
  // One line in slurmd's log, however many ranks a step has.
  if (problem != 0 && step->lost++ == 0)
    slurm_error("kernmill: cannot write %s: %s", file.c_str(), std::strerror(problem));
}

void end_step() {
  if (step && step->lost > 1)
    slurm_error("kernmill: how %u ranks of this step ended is not in the journal of %s", step->lost,
                step->run.c_str());
  step.reset();
}

/// In srun and sbatch: the run has to be there, and what is started is told of it.
int take_option(int, const char* value, int is_remote) {
  option_value = value == nullptr ? "" : value;
  if (is_remote != 0) return 0;
  const char* runs = std::getenv("KERNMILL_RUNS");
  std::error_code unreadable;
  const auto run =
      find_run(option_value, std::filesystem::current_path(unreadable), runs == nullptr ? "" : runs);
  if (run.empty()) {
    slurm_error(
        "--kernmill-run=%s: there is no such run here, in ./runs, in ./workflows/runs or in KERNMILL_RUNS; "
        "give the path of its folder",
        option_value.c_str());
    return -1;
  }
  ::setenv("KERNMILL_RUN", run.c_str(), 1);
  return 0;
}

void register_option(spank_t handle) {
  static std::string name = "kernmill-run", argument = "ID",
                     usage = "let the steps of this job be recorded in the journal of a run of Kernmill";
  spank_option option{name.data(), argument.data(), usage.data(), 1, 0, take_option};
  if (spank_option_register(handle, &option) != ESPANK_SUCCESS)
    slurm_error("kernmill: cannot add --kernmill-run");
}

void read_arguments(int count, char** arguments) {
  constexpr const char* prefix = "interval=";
  for (int index = 0; index < count; ++index) {
    const std::string argument = arguments[index];
    const auto value =
        argument.starts_with(prefix) ? number(argument.substr(std::strlen(prefix))) : std::nullopt;
    if (value && *value > 0)
      interval = std::chrono::milliseconds(*value);
    else
      slurm_error("kernmill: plugstack.conf: \"%s\" is not interval=MILLISECONDS", argument.c_str());
  }
}

/// Whatever happens in an action, slurmstepd lives on.
template <class Action>
int guarded(const char* where, Action action) noexcept {
  try {
    action();
  } catch (const std::exception& problem) {
    slurm_error("kernmill: %s: %s", where, problem.what());
  } catch (...) {
    slurm_error("kernmill: %s failed", where);
  }
  return 0;
}

}  // namespace
}  // namespace kernmill::spank

extern "C" {

int slurm_spank_init(spank_t handle, int count, char** arguments) {
  return kernmill::spank::guarded("init", [&] {
    kernmill::spank::read_arguments(count, arguments);
    kernmill::spank::register_option(handle);
  });
}

int slurm_spank_user_init(spank_t handle, int, char**) {
  return kernmill::spank::guarded("user_init", [&] { kernmill::spank::begin_step(handle); });
}

int slurm_spank_task_post_fork(spank_t handle, int, char**) {
  if (!kernmill::spank::step) return 0;
  return kernmill::spank::guarded("task_post_fork", [&] {
    kernmill::spank::step->memory.add(kernmill::spank::item<pid_t>(handle, S_TASK_PID));
  });
}

int slurm_spank_task_exit(spank_t handle, int, char**) {
  if (!kernmill::spank::step) return 0;
  return kernmill::spank::guarded("task_exit", [&] { kernmill::spank::end_rank(handle); });
}

int slurm_spank_exit(spank_t, int, char**) {
  return kernmill::spank::guarded("exit", [] { kernmill::spank::end_step(); });
}

}  // extern "C"
