#include "kernmill/exec/pack/packed_program.hpp"

#include <sstream>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "kernmill/exec/attempt/commit.hpp"
#include "kernmill/exec/attempt/continuation.hpp"
#include "kernmill/exec/attempt/shell.hpp"
#include "kernmill/exec/attempt/spec.hpp"
#include "kernmill/exec/attempt/stop_call.hpp"
#include "kernmill/exec/job/container.hpp"
#include "kernmill/os/durable_file.hpp"
#include "kernmill/workflow/command_stage.hpp"

namespace kernmill::exec {
namespace {

namespace fs = std::filesystem;
constexpr int oom_score = 600;  // rather an instance than this process, which has the others to look after

std::vector<std::string> in_container(const Attempt& attempt, const Environment& own,
                                      const Resources& resources) {
  const std::string& container = attempt.stage().container;
  if (container.empty()) return {};
  if (!oci_bundle(container).empty())
    throw AttemptError(
        fmt::format("`container: {}` and `pack` exclude each other: an OCI bundle is run by "
                    "srun; name an image for Apptainer, or remove `pack`",
                    container));
  return container_words(container, {attempt.run.root().string(), attempt.plan.workflow().base_directory},
                         resources, value_of(own, "KERNMILL_CONTAINER_TEMPLATE"));
}

void set_command(PackedProgram& program, const Attempt& attempt, std::vector<std::string> container) {
  if (!container.empty()) {
    for (std::string& word : command_words_alone(attempt)) container.push_back(std::move(word));
    program.spawn.argv = with_setup(attempt.stage(), container);
    return;
  }
  set_command(program.spawn, attempt);
}

void set_task(PackedProgram& program, const Attempt& attempt, std::vector<std::string> words) {
  const Stage& stage = attempt.stage();
  const fs::path task = task_program(), spec = attempt.file("spec.json");
  write_file_durably(spec, make_spec(attempt).dump(2) + "\n");
  for (const std::string& word :
       {task.string(), std::string(to_string(stage.kind)), std::string("--spec"), spec.string()})
    words.push_back(word);
  program.spawn.argv = with_setup(stage, words);
  program.rank_program = task.filename().string().substr(0, 15);  // as the kernel keeps it
}

}  // namespace

PackedProgram packed_program(const Attempt& attempt, const Environment& own, const std::string& launcher,
                             const Place& place, const SlotFiles& files) {
  const Resources resources = attempt.plan.resources(attempt.id);
  std::vector<std::string> launch = launch_words(launcher, resources);
  PackedProgram program;
  program.limit = resources.time;
  SpawnOptions& spawn = program.spawn;
  spawn.env = step_environment(own, resources);
  add_variables(spawn.env, attempt, {launch, 1, resources.ntasks == 1 ? place.rendezvous : std::string()});
  share_devices(spawn.env, place);
  const Workflow& workflow = attempt.plan.workflow();
  const bool is_command = runs_command(attempt.stage());
  spawn.work_dir = is_command ? workflow.command_directory() : workflow.base_directory;
  spawn.out = files.out().string();
  spawn.err = files.err().string();
  spawn.cores = place.cores;
  spawn.oom_score = oom_score;
  std::vector<std::string> container = in_container(attempt, own, resources);
  if (is_command) {
    set_command(program, attempt, std::move(container));
    program.signal = number_of_signal(attempt.stage().signal);
    spawn.otherwise = with_long_texts_in_files(attempt, spawn.otherwise);
    spawn.argv = with_long_texts_in_files(attempt, spawn.argv);
    return program;
  }
  if (resources.ntasks == 1) launch.clear();
  launch.insert(launch.end(), container.begin(), container.end());
  set_task(program, attempt, std::move(launch));
  return program;
}

void share_devices(Environment& environment, const Place& place) {
  for (const char* name : {"CUDA_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES"}) {
    std::istringstream list(value_of(environment, name));
    std::vector<std::string> devices;
    for (std::string device; std::getline(list, device, ',');) devices.push_back(device);
    const std::size_t each = devices.size() / place.of;
    if (each == 0) continue;
    const auto from = devices.begin() + static_cast<std::ptrdiff_t>(place.number * each);
    set(environment, name, fmt::format("{}", fmt::join(from, from + static_cast<std::ptrdiff_t>(each), ",")));
  }
}

}  // namespace kernmill::exec
