#include "kernmill/cli/runs/local_machine.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "kernmill/os/durable_file.hpp"
#include "kernmill/os/process.hpp"
#include "kernmill/run/cache/prediction.hpp"
#include "kernmill/run/journal/open_attempts.hpp"

namespace fs = std::filesystem;

namespace kernmill::cli {

LocalMachine::LocalMachine(const RunDirectory& run, const Plan& plan, const StopSignals& stop,
                           Options options)
    : run_(run),
      plan_(plan),
      stop_(stop),
      options_(options),
      programs_(find_programs()),
      digests_(run.root().parent_path()),
      cache_(run.root().parent_path(), digests_) {
  if (!options_.no_cache)
    program_digests_ = kernmill::program_digests(digests_, programs_.task, programs_.exec);
}

ConductorPorts LocalMachine::ports() {
  ConductorPorts all;
  all.now = std::chrono::steady_clock::now;
  all.job_records = [this](const JobId& job) { return job_records(job); };
  all.job_spec = [this](InstanceId id, unsigned attempt, const JobId& job, AttemptScale scale) {
    return job_spec(id, attempt, job, scale);
  };
  if (!options_.no_cache)
    all.from_cache = [this](InstanceId id, unsigned attempt, const CommitTable& commits) {
      return from_cache(id, attempt, commits);
    };
  all.checkpoint_mark = [this](InstanceId id) {
    return checkpoint_mark(run_.checkpoints(plan_.stage(id.stage).name, id.index));
  };
  all.end_leftovers = [this](InstanceId id, unsigned attempt) { end_leftovers(id, attempt); };
  all.stop_fd = stop_.fd();
  all.next_stop = [this] { return stop_.next(); };
  return all;
}

fs::path LocalMachine::attempt_directory(InstanceId id, unsigned attempt) const {
  return run_.attempt(plan_.stage(id.stage).name, id.index, attempt);
}

std::vector<Record> LocalMachine::job_records(const JobId& job) const {
  const fs::path file = run_.journal() / fmt::format("{}.0.{}.exec.jsonl", job, host_name());
  return fs::exists(file) ? read_journal_file(file) : std::vector<Record>{};
}

JobSpec LocalMachine::job_spec(InstanceId id, unsigned attempt, const JobId& job, AttemptScale scale) const {
  const std::string& stage = plan_.stage(id.stage).name;
  const Resources resources = plan_.resources(id);
  JobSpec spec;
  spec.name = plan_.label(id);
  spec.argv = {programs_.exec.string(),  "--run",     run_.root().string(),    "--stage", stage, "--instance",
               std::to_string(id.index), "--attempt", std::to_string(attempt), "--job",   job};
  if (options_.no_cache) spec.argv.emplace_back("--no-cache");
  if (scale.time != 1.0) spec.argv.insert(spec.argv.end(), {"--time-factor", fmt::format("{}", scale.time)});
  spec.env = job_environment(programs_);
  spec.env.emplace_back("KERNMILL_TOKEN", attempt_token(run_.name(), stage, id.index, attempt));
  spec.work_dir = plan_.workflow().base_directory;
  spec.cores = resources.cores();
  const std::uint64_t mem =
      std::max(resources.mem, resources.mem_per_cpu * static_cast<std::uint64_t>(resources.cores()));
  spec.mem = static_cast<std::uint64_t>(static_cast<double>(mem) * scale.mem);
  const fs::path directory = attempt_directory(id, attempt);
  make_directories(directory);
  spec.output = (directory / "exec.log").string();
  return spec;
}

CacheAnswer LocalMachine::from_cache(InstanceId id, unsigned attempt, const CommitTable& commits) {
  const auto result_of = [&commits](InstanceId parent) { return commits.result(parent); };
  const Decision decision = decide(plan_, id, result_of, cache_, digests_, program_digests_);
  if (decision.what != Decision::What::cached) return {.committed = {}, .why_not = decision.reason};
  const fs::path directory = attempt_directory(id, attempt);
  make_directories(directory);
  CacheEntry taken = take(*decision.entry, directory);
  taken.workflow = plan_.workflow().name;
  taken.stage = plan_.stage(id.stage).name;
  taken.instance = id.index;
  taken.run = run_.name();
  CommittedResult result{
      {taken.artifacts, taken.metrics}, taken.recipe.key, decision.entry->attempt_directory.string()};
  // Only then may the cache name this directory: until it is committed, a resumed run would use it again.
  return {.committed = std::move(result), .after_commit = [this, taken] { cache_.store(taken); }};
}

void LocalMachine::end_leftovers(InstanceId id, unsigned attempt) const {
  end_tree(0, 0, attempt_token(run_.name(), plan_.stage(id.stage).name, id.index, attempt));
}

}  // namespace kernmill::cli
