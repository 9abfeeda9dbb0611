#pragma once
#include <optional>

#include "kernmill/exec/attempt/attempt.hpp"
#include "kernmill/exec/attempt/reduce.hpp"
#include "kernmill/run/cache/recipe.hpp"

namespace kernmill::exec {

/// kernmill-task: KERNMILL_TASK, else beside this program, else by PATH.
std::filesystem::path task_program();

/// What a `committed` record says, and the recipe that its key was made of.
struct Commit {
  Json metrics = Json::object();
  std::vector<Artifact> artifacts;
  std::uint64_t peak_memory = 0;  ///< as CommittedResult has it
  std::string warning = {};       ///< likewise
  std::optional<Recipe> recipe;   ///< nothing: cannot be taken up again by another run
  [[nodiscard]] CommittedResult result() const;
};

/// Throws AttemptError when an input is not what its stage committed any more.
void check_inputs(const Attempt& attempt);

/// Declared files that the attempt finds other than its run knew them when it was made: told on stderr.
std::vector<std::pair<std::string, std::string>> tell_other_inputs(const Attempt& attempt);

/// What an attempt is about to read, before it does; nothing: it can have no recipe.
std::optional<Recipe> recipe_before(const Attempt& attempt);

/// The same, if an earlier attempt that this one goes on from had read that, too; else nothing, which is told
/// on stderr. Notes it for attempts that go on from this one.
std::optional<Recipe> recipe_of_all_attempts(const Attempt& attempt, std::optional<Recipe> now);

/// Makes durable what an attempt leaves, and describes it. It has a recipe only if that is still the one of
/// `before`: else nobody knows which inputs it has read, which is told on stderr. Throws std::system_error
/// that names a file.
Commit prepare_commit(const Attempt& attempt, const Leavings& leavings, const std::optional<Recipe>& before);

/// Lets later runs find the result. A cache that cannot be written costs time, not results: that is only
/// said.
void store_in_cache(const Attempt& attempt, const Commit& commit);

/// What a `committed` record says when an earlier run has left what this attempt would make; its artifacts
/// lie in the attempt's directory then.
std::optional<CommittedResult> committed_from_cache(const Attempt& attempt);

/// Notes in the audit log what a deploy stage has committed; nothing of other stages. What keeps it from that
/// is told on stderr.
void audit_deployment(const Attempt& attempt, const CommittedResult& result);

}  // namespace kernmill::exec
