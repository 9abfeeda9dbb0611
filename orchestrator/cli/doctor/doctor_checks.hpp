#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "kernmill/cli/runs/programs.hpp"
#include "kernmill/workflow/value/value.hpp"

// Between the parts of `kernmill doctor`; nothing else includes it.

namespace kernmill::cli::doctor {

/// What came out of one check.
struct Check {
  enum class Status { ok, note, warning, fail };
  std::string group;  ///< "Programs", "Slurm", "Files"
  std::string name;   ///< "MPI launch"
  Status status = Status::ok;
  std::string text;              ///< what was found
  std::string advice;            ///< what to do; empty when nothing has to be done
  Json values = Json::object();  ///< what was measured, for --json
};

std::vector<Check> check_programs(const Programs& programs);
/// With `deep`, also launches ranks in a job of its own, which has to wait for its turn in the queue.
std::vector<Check> check_slurm(const Programs& programs, bool deep);
/// Writes a few small files in `root`, or in the nearest folder above it that exists, and removes them.
std::vector<Check> check_files(const std::filesystem::path& root);

/// What `kernmill-task --check` printed, judged: did that many ranks find each other?
Check judge_launch(Check check, const std::string& command, int exit_code, bool timed_out,
                   const std::string& output, int ranks);

}  // namespace kernmill::cli::doctor
