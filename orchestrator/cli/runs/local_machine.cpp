#include "kernmill/cli/runs/local_machine.hpp"

#include <algorithm>
#include <cstdio>

#include <fmt/format.h>

#include "kernmill/os/durable_file.hpp"
#include "kernmill/os/process.hpp"
#include "kernmill/plan/packing.hpp"
#include "kernmill/run/cache/prediction.hpp"
#include "kernmill/run/cache/temporary.hpp"
#include "kernmill/run/journal/open_attempts.hpp"
#include "kernmill/workflow/expression/expression.hpp"

namespace fs = std::filesystem;

namespace kernmill::cli {
namespace {

std::uint64_t memory_of(const Resources& resources) {
  return std::max(resources.mem, resources.mem_per_cpu * static_cast<std::uint64_t>(resources.cores()));
}

}  // namespace

LocalMachine::LocalMachine(const RunDirectory& run, const Plan& plan, const StopSignals& stop,
                           JournalWriter& journal, Options options)
    : run_(run),
      plan_(plan),
      stop_(stop),
      gathered_(journal),
      options_(options),
      programs_(find_programs()),
      digests_(run.root().parent_path()),
      cache_(run.root().parent_path(), digests_) {
  if (!options_.no_cache) program_digests_ = digests_of(programs_, digests_);
}

ConductorPorts LocalMachine::ports() {
  ConductorPorts all;
  all.now = std::chrono::steady_clock::now;
  all.job_records = [this](const JobId& job) { return job_records(job); };
  all.job_size = [this](InstanceId id, const AttemptScale& scale) { return job_size(id, scale); };
  all.job_spec = [this](const AttemptOrder& order) { return job_spec(order); };
  all.packing = [this](std::uint32_t stage) { return packing(stage); };
  all.pack_spec = [this](const PackOrder& order) { return pack_spec(order); };
  all.put_away = [this](const JobId& job) { put_away(job); };
  if (!options_.no_cache)
    all.from_cache = [this](InstanceId id, unsigned attempt, const CommitTable& commits) {
      return from_cache(id, attempt, commits);
    };
  all.checkpoint_mark = [this](InstanceId id) {
    return checkpoint_mark(run_.checkpoints(plan_.stage(id.stage).name, id.index));
  };
  all.remove_artifact = remove_artifact;
  all.end_leftovers = [this](InstanceId id, unsigned attempt) { end_leftovers(id, attempt); };
  all.stop_fd = stop_.fd();
  all.next_stop = [this] { return stop_.next(); };
  return all;
}

fs::path LocalMachine::attempt_directory(InstanceId id, unsigned attempt) const {
  return run_.attempt(plan_.stage(id.stage).name, id.index, attempt);
}

fs::path LocalMachine::journal_file(const JobId& job) const {
  return run_.journal() / fmt::format("{}.0.{}.exec.jsonl", job, host_name());
}

std::vector<Record> LocalMachine::job_records(const JobId& job) {
  return read_new_records(journal_file(job), read_[job]);
}

void LocalMachine::put_away(const JobId& job) {
  gathered_.add(journal_file(job));
  read_.erase(job);
}

Packing LocalMachine::packing(std::uint32_t stage) const {
  const Stage& what = plan_.stage(stage);
  const std::uint32_t count = plan_.instance_count(stage);
  if (count == 0 || has_template(what.resources.dump())) return {};  // instances differ in what they ask for
  constexpr std::uint32_t most =
      4096;  // what it hands over to one job stays small, and so do the journals of jobs
  Packing packing = packing_of(
      what, plan_.resources({stage, 0}), count,
      {.node_cpus = static_cast<std::uint32_t>(options_.cores), .node_mem = options_.mem, .nodes = 1});
  packing.pack = std::min(packing.pack, most);
  return packing;
}

std::vector<std::pair<std::string, std::string>> LocalMachine::environment_for(const Stage& stage) const {
  auto environment = job_environment(programs_);
  for (auto& variable : handed_over(plan_.workflow(), stage)) environment.push_back(std::move(variable));
  return environment;
}

JobSpec LocalMachine::pack_spec(const PackOrder& order) const {
  const Stage& stage = plan_.stage(order.stage);
  const Resources all = for_pack(plan_.resources({order.stage, 0}), {order.pack.slots, order.pack.slots});
  JobSpec spec;
  spec.cores = all.cores();
  spec.mem = memory_of(all);
  if (order.pack.instances.empty()) return spec;  // only its size is asked for
  spec.name = fmt::format("{} (packed)", stage.name);
  spec.argv = {programs_.exec.string(),
               "--run",
               run_.root().string(),
               "--stage",
               stage.name,
               "--job",
               order.job,
               "--pack"};
  if (options_.no_cache) spec.argv.emplace_back("--no-cache");
  spec.input = to_line(order.pack) + order.known;
  spec.env = environment_for(stage);
  const PackedInstance& first = order.pack.instances.front();
  spec.env.emplace_back("KERNMILL_TOKEN", attempt_token(run_, stage.name, first.index, first.attempt));
  spec.work_dir = plan_.workflow().base_directory;
  const fs::path directory = run_.slot(stage.name, order.job);
  make_directories(directory);
  spec.output = (directory / "exec.log").string();
  return spec;
}

JobSpec LocalMachine::job_size(InstanceId id, const AttemptScale& scale) const {
  const Resources resources = plan_.resources(id);
  JobSpec spec;
  spec.cores = resources.cores();
  spec.mem = static_cast<std::uint64_t>(static_cast<double>(memory_of(resources)) * scale.mem);
  return spec;
}

JobSpec LocalMachine::job_spec(const AttemptOrder& order) {
  const auto& [id, attempt, job, scale, known] = order;
  const std::string& stage = plan_.stage(id.stage).name;
  JobSpec spec = job_size(id, scale);
  spec.name = plan_.label(id);
  spec.argv = {programs_.exec.string(),  "--run",     run_.root().string(),    "--stage", stage, "--instance",
               std::to_string(id.index), "--attempt", std::to_string(attempt), "--job",   job};
  spec.argv.emplace_back("--handed-over");
  if (!plans_) plans_.emplace(plan_);
  spec.input = handover_of_plan(plans_->of(id)) + known;
  if (options_.no_cache) spec.argv.emplace_back("--no-cache");
  if (scale.time != 1.0) spec.argv.insert(spec.argv.end(), {"--time-factor", fmt::format("{}", scale.time)});
  spec.env = environment_for(plan_.stage(id.stage));
  spec.env.emplace_back("KERNMILL_TOKEN", attempt_token(run_, stage, id.index, attempt));
  spec.work_dir = plan_.workflow().base_directory;
  const fs::path directory = attempt_directory(id, attempt);
  make_directories(directory);
  spec.output = (directory / "exec.log").string();
  return spec;
}

CacheAnswer LocalMachine::from_cache(InstanceId id, unsigned attempt, const CommitTable& commits) {
  const auto result_of = [&commits](InstanceId parent) { return commits.result(parent); };
  const auto leavings_of = [&commits](std::uint32_t stage) { return commits.leavings(stage); };
  const Decision decision = decide(plan_, id, result_of, cache_, digests_, program_digests_, leavings_of);
  if (decision.what != Decision::What::cached) return {.committed = {}, .why_not = decision.reason};
  const fs::path directory = attempt_directory(id, attempt);
  make_directories(directory);
  auto taken_as_it_was = take(*decision.entry, directory, digests_);
  if (!taken_as_it_was) return {.committed = {}, .why_not = "the earlier result has changed just now"};
  CacheEntry taken = std::move(*taken_as_it_was);
  mark_temporary(taken.artifacts, plan_.config(id));
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
  const std::string left =
      still_there_text(end_tree(0, 0, attempt_token(run_, plan_.stage(id.stage).name, id.index, attempt)));
  if (!left.empty()) fmt::print(stderr, "warning: {}\n", left);
}

}  // namespace kernmill::cli
