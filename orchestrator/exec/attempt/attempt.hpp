#pragma once
#include <chrono>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string>

#include "kernmill/exec/stall/stall_watch.hpp"
#include "kernmill/plan/plan.hpp"
#include "kernmill/run/directory/run_directory.hpp"
#include "kernmill/run/journal/commit_table.hpp"

namespace kernmill::exec {

/// Why an attempt cannot go on: its message becomes that of its `failed` record.
struct AttemptError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// One attempt, as the command line names it.
struct AttemptName {
  std::string stage;
  unsigned instance = 0;
  unsigned number = 1;
};

/// What an attempt knows when it starts.
struct Attempt {
  const RunDirectory& run;
  const Plan& plan;
  InstanceId id;
  unsigned number = 1;
  bool earlier_attempt_started = false;
  CommitTable commits;
  std::filesystem::path place = {};  ///< where it works for the time being; empty: in its own directory

  [[nodiscard]] const Stage& stage() const { return plan.stage(id.stage); }
  [[nodiscard]] std::filesystem::path directory() const {
    return place.empty() ? run.attempt(stage().name, id.index, number) : place;
  }
  [[nodiscard]] std::filesystem::path file(const std::string& name) const { return directory() / name; }
  /// One folder for all attempts of the instance.
  [[nodiscard]] std::filesystem::path checkpoints() const { return run.checkpoints(stage().name, id.index); }
};

/// The file of an attempt that says where it hung.
inline constexpr const char* stacks_file = "stacks.log";

/// How an attempt is watched for a stall, as its stage's `stall` says. What its program is called, and what
/// marks its processes, is left to who starts it.
StallOptions stall_options(const Attempt& attempt);

/// The attempt of that name, with what the journal says of the others. Throws AttemptError when the plan has
/// no such instance, or a newer attempt of it has started.
Attempt make_attempt(const RunDirectory& run, const Plan& plan, const AttemptName& name,
                     const RunRecord& record);

/// The number of a newer attempt that has started, if there is one.
std::optional<unsigned> newer_attempt(const RunRecord& record, const AttemptName& name);

/// Throws AttemptError when a newer attempt has started: this one must not commit any more.
void check_fence(const Attempt& attempt, const RunRecord& record);

/// Throws AttemptError that names the parents without a commit record, when they are more than may lack one.
void check_parents(const Attempt& attempt, const RunRecord& record);

/// The artifact that an input from another stage is; all of its artifacts, where its directory is meant.
/// Throws AttemptError when that stage left none.
std::vector<Artifact> input_artifacts(const Attempt& attempt, const Input& input);

/// The absolute path of an input. Throws AttemptError when the stage it comes from left no such artifact.
std::string input_path(const Attempt& attempt, const Input& input);

/// `templates` with matrix.* and stages.* evaluated. Throws AttemptError for what no stage has left.
Json resolve(const Attempt& attempt, const Json& templates);

}  // namespace kernmill::exec
