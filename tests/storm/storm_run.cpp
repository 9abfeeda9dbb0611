#include "storm_run.hpp"

#include <algorithm>
#include <csignal>
#include <set>
#include <sstream>
#include <thread>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "kernmill/os/process.hpp"
#include "kernmill/run/journal/journal.hpp"
#include "storm_workflow.hpp"

namespace fs = std::filesystem;

namespace kernmill::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// What a run may take once nobody kills anything any more: its attempts may have been used up before.
constexpr seconds patience{180};
constexpr unsigned most_resumes = 4;

std::vector<Role> roles(RunKind kind) {
  switch (kind) {
    case RunKind::local:
      return {Role::conductor, Role::exec, Role::rank};
    case RunKind::local_packed:
      return {Role::conductor, Role::exec, Role::rank, Role::pack_guard};
    case RunKind::slurm:
      return {Role::submitter, Role::status, Role::exec, Role::closing_job, Role::srun, Role::rank};
    case RunKind::slurm_packed:
      return {Role::submitter,   Role::status, Role::exec, Role::pack_guard,
              Role::closing_job, Role::srun,   Role::rank};
  }
  return {};
}

std::string name_of(const std::string& stage, unsigned instance) {
  return fmt::format("{} {}", stage, instance);
}

}  // namespace

std::string_view to_string(RunKind kind) {
  switch (kind) {
    case RunKind::local:
      return "local";
    case RunKind::local_packed:
      return "local, packed";
    case RunKind::slurm:
      return "slurm";
    case RunKind::slurm_packed:
      return "slurm, packed";
  }
  return "?";
}

bool is_on_cluster(RunKind kind) {
  return kind == RunKind::slurm || kind == RunKind::slurm_packed;
}

StormRun::StormRun(Options options)
    : options_(std::move(options)),
      random_(options_.seed),
      log_(options_.folder / "storm.log"),
      kills_left_(options_.kills) {
  const bool packed = options_.kind == RunKind::local_packed || options_.kind == RunKind::slurm_packed;
  std::ofstream(options_.folder / "flow.yaml") << storm_workflow(packed);
}

StormReport StormRun::go() try {
  start_or_resume();
  kill_some();
  unsigned undisturbed = 0;
  while (waits_for_rest() && outcome() != "done") {
    if (kills_left_ == 0 && ++undisturbed > most_resumes) {
      find(fmt::format("{} times resumed it is not done, but '{}'", most_resumes, outcome()));
      break;
    }
    start_or_resume();
    kill_some();
  }
  if (report_.findings.empty()) check();
  return report_;
} catch (const std::exception& error) {
  find(error.what());
  return report_;
}

std::optional<RunDirectory> StormRun::run() const {
  const auto runs = list_runs(options_.folder / "runs");
  return runs.empty() ? std::nullopt : std::optional(runs.back());
}

bool StormRun::has_begun() const {
  const auto newest = run();
  return newest && fs::exists(newest->plan());
}

std::string StormRun::outcome() {
  return has_begun() ? fold_journal(run()->journal()).outcome : "";
}

Invocation StormRun::kernmill(std::vector<std::string> words) const {
  words.insert(words.begin(), KERNMILL);
  return {std::move(words),
          options_.folder,
          {{"KERNMILL_RUNS", ""}, {"KERNMILL_SLURM_PLUGIN", KERNMILL_SLURM_PLUGIN_FILE}}};
}

void StormRun::tell(const std::string& line) {
  const std::chrono::duration<double> since = Clock::now() - begun_;
  log_ << fmt::format("{:8.3f}  {}", since.count(), line) << std::endl;
}

void StormRun::find(const std::string& what) {
  tell("FOUND: " + what);
  report_.findings.push_back(what);
}

void StormRun::start_or_resume() {
  hear_the_end();
  std::vector<std::string> words{on_cluster() ? "submit" : "run", "flow.yaml"};
  if (has_begun()) {
    words = {"resume", run()->name()};
    ++report_.resumes;
  }
  tell(fmt::format("kernmill {}", fmt::join(words, " ")));
  program_ = std::make_unique<Program>(kernmill(std::move(words)));
  killed_program_ = false;
}

/// Done, failed, the cluster does not answer, killed: any other end is a fault.
void StormRun::hear_the_end() {
  if (!program_) return;
  const Finished end = program_->wait();
  program_.reset();
  tell(fmt::format("ended with {}: {}{}", end.exit_code, end.out, end.err));
  const bool as_it_may = end.exit_code == 0 || end.exit_code == 1 || end.exit_code == 3 ||
                         (killed_program_ && end.exit_code == 128 + SIGKILL);
  if (!as_it_may) find(fmt::format("kernmill ended with {}: {}", end.exit_code, end.err));
}

/// As users do: they look, and they resume while jobs are in the queue.
void StormRun::disturb() {
  if (!on_cluster() || !has_begun()) return;
  if (client_ && client_->ends_within(milliseconds(0))) client_.reset();
  const auto choice = random(4);
  if (choice == 0 && !client_) client_ = std::make_unique<Program>(kernmill({"status", run()->name()}));
  if (choice == 1 && program_ && program_->ends_within(milliseconds(0))) start_or_resume();
}

bool StormRun::is_at_rest() {
  if (program_ && !program_->ends_within(milliseconds(0))) return false;
  if (!victims_in(options_.folder, on_cluster()).empty()) return false;
  return !on_cluster() || !run() || !options_.has_live_jobs(run()->name());
}

bool StormRun::kill_one() {
  const auto wanted_roles = roles(options_.kind);
  const Role wanted = wanted_roles[random(wanted_roles.size())];
  const auto is_wanted = [&](const Victim& victim) { return victim.role == wanted; };
  disturb();
  const auto until = Clock::now() + milliseconds(on_cluster() ? 3000 : 700);
  std::vector<Victim> there = victims_in(options_.folder, on_cluster());
  while (std::none_of(there.begin(), there.end(), is_wanted) && Clock::now() < until) {
    if (is_at_rest()) return false;
    std::this_thread::sleep_for(milliseconds(10));
    there = victims_in(options_.folder, on_cluster());
  }
  std::this_thread::sleep_for(std::chrono::microseconds(random(random(2) == 0 ? 20'000 : 250'000)));
  there = victims_in(options_.folder, on_cluster());
  const auto end_of_wanted = std::stable_partition(there.begin(), there.end(), is_wanted);
  if (end_of_wanted != there.begin()) there.erase(end_of_wanted, there.end());
  if (there.empty()) return !is_at_rest();
  const Victim victim = there[random(there.size())];
  if (victim.role == Role::conductor || victim.role == Role::submitter) killed_program_ = true;
  if (!signal_process(victim.pid, victim.start_time, SIGKILL)) return true;
  tell(fmt::format("killed {} ({})", to_string(victim.role), victim.pid));
  ++report_.kills[victim.role];
  --kills_left_;
  return true;
}

/// What a killed conductor or submitter has left is killed now and then, too; mostly it is resumed beside it.
void StormRun::kill_some() {
  while (kills_left_ > 0 && kill_one()) {
    const bool orphaned = killed_program_ && program_->ends_within(milliseconds(0));
    if (orphaned && random(2) == 0) return;
  }
}

/// Whether it comes to rest: nothing of it runs or will, or only `resume` can say what becomes of it.
bool StormRun::waits_for_rest() {
  const auto deadline = Clock::now() + patience;
  const bool is_orphaned = killed_program_;
  while (!is_orphaned && !is_at_rest()) {
    if (Clock::now() > deadline) {
      find(fmt::format("it did not come to rest in {} s", patience.count()));
      return false;
    }
    std::this_thread::sleep_for(milliseconds(100));
  }
  hear_the_end();
  return report_.findings.empty();
}

void StormRun::check() {
  client_.reset();
  check_attempts();
  const auto deadline = Clock::now() + seconds(30);  // the closing job has more to do than to write the end
  while (!victims_in(options_.folder, on_cluster()).empty())
    if (Clock::now() > deadline) return find("something of it still runs");
}

void StormRun::check_attempts() {
  std::map<std::string, std::set<unsigned>> commits;
  for (const auto& file : fs::directory_iterator(run()->journal())) {
    if (!file.path().string().ends_with(".jsonl")) continue;
    for (const Record& record : read_journal_file(file.path()))  // throws what is damaged
      if (record.event == "committed")
        commits[name_of(record.body.at("stage"), record.body.at("instance"))].insert(
            record.body.at("attempt").get<unsigned>());
  }
  const RunRecord record = fold_journal(run()->journal());
  std::map<std::string, unsigned> committed;
  for (const auto& [stage, count] : {std::pair{"prepare", 1U},
                                     {"fit", 1U},
                                     {"score", 1U},
                                     {"gather", 1U},
                                     {"last", 1U},
                                     {"many", instances_of_an_array},
                                     {"each", instances_of_an_array}})
    for (unsigned i = 0; i < count; ++i) {
      const std::string name = name_of(stage, i);
      const InstanceRecord* known = record.find(stage, i);
      if (known == nullptr || !known->committed) {
        ++report_.lost;
        find(name + " is lost");
        continue;
      }
      ++report_.commits;
      committed[name] = *commits[name].begin();
      report_.repeated_commits += static_cast<unsigned>(commits[name].size()) - 1;
      if (commits[name].size() != 1)
        find(fmt::format("{} was committed by the attempts {}", name, fmt::join(commits[name], " ")));
      if (known->attempts.back().number != committed[name])
        find(fmt::format("{} was tried again ({}) after its commit ({})", name, known->attempts.back().number,
                         committed[name]));
    }
  if (const InstanceRecord* fit = record.find("fit", 0))
    for (const Artifact& artifact : fit->artifacts)
      if (artifact.name == "model") report_.model = artifact.sha256;
  check_ledger(committed);
}

void StormRun::check_ledger(const std::map<std::string, unsigned>& committed) {
  std::map<std::string, std::map<unsigned, unsigned>> begun, ended;
  std::ifstream ledger(run()->root() / "ledger");
  for (std::string line; std::getline(ledger, line);) {
    std::istringstream words(line);
    std::string what, stage;
    unsigned instance = 0, attempt = 0;
    if (!(words >> what >> stage >> instance >> attempt)) return find("the ledger has a line '" + line + "'");
    ++(what == "begin" ? begun : ended)[name_of(stage, instance)][attempt];
  }
  for (const auto& [name, attempts] : begun)
    for (const auto& [attempt, times] : attempts) {
      if (times != 1) find(fmt::format("attempt {} of {} ran {} times", attempt, name, times));
      if (committed.contains(name) && attempt > committed.at(name))
        find(fmt::format("{} ran again ({}) after its commit ({})", name, attempt, committed.at(name)));
    }
  for (const auto& [name, attempt] : committed)
    if (begun.contains(name) && ended[name][attempt] != 1)
      find(fmt::format("{} was committed by attempt {}, which did not come to its end", name, attempt));
}

}  // namespace kernmill::testing
