#include "kernmill/exec/attempt/commit.hpp"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <system_error>

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include "kernmill/base/timestamp.hpp"
#include "kernmill/exec/attempt/secrets.hpp"
#include "kernmill/os/durable_file.hpp"
#include "kernmill/os/file_descriptor.hpp"
#include "kernmill/os/replace_file.hpp"
#include "kernmill/plan/gathering.hpp"
#include "kernmill/run/audit/audit_log.hpp"
#include "kernmill/run/cache/cache.hpp"
#include "kernmill/run/cache/declared_inputs.hpp"
#include "kernmill/run/cache/prediction.hpp"
#include "kernmill/run/cache/temporary.hpp"
#include "kernmill/run/cache/tree.hpp"
#include "kernmill/workflow/command_stage.hpp"
#include "kernmill/workflow/expression/expression.hpp"
#include "kernmill/workflow/value/json_text.hpp"

namespace kernmill::exec {
namespace {

namespace fs = std::filesystem;

fs::path runs_root(const Attempt& attempt) {
  return attempt.run.root().parent_path();
}

ResultOf results_of(const Attempt& attempt) {
  return [&attempt](InstanceId id) { return attempt.commits.result(id); };
}

LeavingsOf leavings_known_to(const Attempt& attempt) {
  return [&attempt](std::uint32_t stage) { return attempt.commits.leavings(stage); };
}

ProgramDigests programs(DigestStore& digests) {
  ProgramDigests all = program_digests(digests, task_program(), fs::read_symlink("/proc/self/exe"));
  all.passed = [](const Stage&) { return passed_to_job(own_environment()); };
  return all;
}

std::optional<Recipe> recipe_now(const Attempt& attempt, DigestStore& digests) {
  auto recipe = recipe_of(attempt.plan, attempt.id, results_of(attempt), digests, programs(digests),
                          leavings_known_to(attempt));
  auto* found = std::get_if<Recipe>(&recipe);
  return found == nullptr ? std::nullopt : std::optional(std::move(*found));
}

/// The recipe that a result is found by: that of what the attempt has read, if nothing of it changed since.
std::optional<Recipe> recipe_of_what_was_read(const Attempt& attempt, const Recipe& before,
                                              std::optional<Recipe> after) {
  if (after && after->key == before.key) return after;
  const std::vector<std::string> changed = after ? differences(before, *after) : std::vector<std::string>{};
  fmt::print(stderr, "kernmill-exec: {}: {} while it ran, so later runs do not reuse its result\n",
             attempt.plan.label(attempt.id),
             changed.empty() ? "an input went away" : fmt::format("{}", fmt::join(changed, "; ")));
  return {};
}

/// Whether there is anything that an earlier attempt has left for this one to go on from.
bool goes_on(const Attempt& attempt) {
  if (!attempt.earlier_attempt_started) return false;
  const bool restarts = runs_command(attempt.stage()) && !attempt.stage().config.value("restart", "").empty();
  std::error_code none;
  return restarts || fs::directory_iterator(attempt.checkpoints(), none) != fs::directory_iterator();
}

std::optional<Recipe> noted_recipe(const fs::path& file) {
  try {
    const Json noted = json_or_nothing(read_file(file));
    if (noted.is_object()) return Recipe{noted.at("recipe"), noted.at("input_names"), noted.at("key")};
  } catch (const std::system_error&) {  // nobody has noted it
  } catch (const Json::exception&) {
  }
  return {};
}

CacheEntry entry_of(const Attempt& attempt, const Commit& commit) {
  CacheEntry entry;
  entry.recipe = *commit.recipe;
  entry.workflow = attempt.plan.workflow().name;
  entry.stage = attempt.stage().name;
  entry.instance = attempt.id.index;
  entry.run = attempt.run.name();
  entry.attempt_directory = attempt.directory();
  entry.artifacts = commit.artifacts;
  entry.metrics = commit.metrics;
  entry.created = utc_timestamp();
  return entry;
}

/// The names in all templates of a value: {"stages", "fit", "model"}.
void add_names(std::vector<NamePath>& names, const Json& value) {
  if (value.is_structured()) {
    for (const Json& part : value) add_names(names, part);
  } else if (value.is_string() && has_template(value.get_ref<const std::string&>())) {
    for (NamePath& name : names_in(value.get_ref<const std::string&>())) names.push_back(std::move(name));
  }
}

/// What an attempt reads of other stages, with their names: its inputs, and the artifacts that its templates
/// name.
std::vector<std::pair<std::string, Artifact>> artifacts_read_by(const Attempt& attempt) {
  std::vector<std::pair<std::string, Artifact>> read;
  for (const Input& input : attempt.stage().inputs)
    if (!input.stage.empty() && !input.gathered)
      for (Artifact& artifact : input_artifacts(attempt, input)) read.emplace_back(input.stage, artifact);
  for (const Gathering& gathered : gatherings_of(attempt.plan, attempt.id.stage))
    for (std::uint32_t i = 0; i < attempt.plan.instance_count(gathered.stage); ++i)
      if (const auto result = attempt.commits.result({gathered.stage, i}))
        for (const Artifact& artifact : result->artifacts)
          if (gathered.wants(artifact.name))
            read.emplace_back(attempt.plan.label({gathered.stage, i}), artifact);
  std::vector<NamePath> names;
  add_names(names, attempt.stage().env);
  add_names(names, attempt.stage().config);
  for (const NamePath& name : names) {
    if (name.size() != 3 || name[0] != "stages") continue;
    const auto id = attempt.plan.referred(attempt.id, attempt.plan.stage_number(name[1]));
    const auto result = id ? attempt.commits.result(*id) : std::nullopt;
    if (!result) continue;
    for (const Artifact& artifact : artifacts_named(*result, name[2])) read.emplace_back(name[1], artifact);
  }
  return read;
}

}  // namespace

fs::path task_program() {
  if (const char* named = std::getenv("KERNMILL_TASK"); named != nullptr && *named != '\0') return named;
  const fs::path beside = fs::read_symlink("/proc/self/exe").parent_path() / "kernmill-task";
  return ::access(beside.c_str(), X_OK) == 0 ? beside : fs::path("kernmill-task");
}

CommittedResult Commit::result() const {
  CommittedResult result{{artifacts, metrics}, recipe ? recipe->key : ""};
  result.peak_memory = peak_memory;
  result.warning = warning;
  return result;
}

void audit_deployment(const Attempt& attempt, const CommittedResult& result) {
  if (attempt.stage().kind != TaskKind::deploy) return;
  AuditEvent event{.command = "deploy", .run = attempt.run.name()};
  event.details = {{"stage", attempt.stage().name}, {"instance", attempt.id.index}};
  for (const auto& [stage, artifact] : artifacts_read_by(attempt))
    event.details["from"].push_back({{"artifact", stage + "." + artifact.name}, {"sha256", artifact.sha256}});
  for (const Artifact& artifact : result.left.artifacts)
    event.details["left"].push_back({{"artifact", artifact.name}, {"sha256", artifact.sha256}});
  try {
    audit_act(attempt.run, std::move(event));
  } catch (const std::exception& error) {
    fmt::print(stderr, "kernmill-exec: the audit log does not have this deployment: {}\n", error.what());
  }
}

void check_inputs(const Attempt& attempt) {
  std::optional<DigestStore> digests;
  for (const auto& [stage, artifact] : artifacts_read_by(attempt)) {
    if (artifact.sha256.empty()) continue;
    if (!digests) digests.emplace(runs_root(attempt));
    if (content_of(artifact.path, *digests, Links::kept).sha256 != artifact.sha256)
      throw AttemptError(
          fmt::format("{} is not what {} committed: somebody, or a disk, has changed it; "
                      "kernmill resume has it made again",
                      artifact.path, stage));
  }
}

std::vector<std::pair<std::string, std::string>> tell_other_inputs(const Attempt& attempt) {
  if (!reads_files(attempt.stage())) return {};
  DigestStore digests(runs_root(attempt));
  auto other = other_inputs(attempt.run, attempt.plan, attempt.id, digests);
  for (const auto& [path, found] : other)
    fmt::print(stderr, "kernmill-exec: {}: input {} {} since the run was made; it reads what is there now\n",
               attempt.plan.label(attempt.id), display_path(path, attempt.plan.workflow()),
               found.empty() ? "has gone" : "has changed");
  return other;
}

std::optional<Recipe> recipe_before(const Attempt& attempt) {
  const ProgramDigests known{"known", "known", {}};
  if (!why_never_cached(attempt.plan, attempt.id.stage, known).empty()) return {};
  DigestStore digests(runs_root(attempt));
  return recipe_now(attempt, digests);
}

std::optional<Recipe> recipe_of_all_attempts(const Attempt& attempt, std::optional<Recipe> now) {
  if (!now) return now;
  const fs::path folder = attempt.run.instance(attempt.stage().name, attempt.id.index);
  const fs::path noted = folder / "recipe.json";
  if (!goes_on(attempt)) {
    const bool is_packed = !attempt.place.empty();  // it has no folder, and seldom goes on
    if (!is_packed)
      replace_file(noted, Json{{"schema_version", 1},
                               {"key", now->key},
                               {"recipe", now->body},
                               {"input_names", now->input_names}}
                                  .dump() +
                              "\n");
    return now;
  }
  const std::optional<Recipe> first = noted_recipe(noted);
  if (first && first->key == now->key) return now;
  const std::string changed =
      first ? fmt::format("{} since its first attempt", fmt::join(differences(*first, *now), "; "))
            : "what its first attempt has read is not known";
  fmt::print(stderr,
             "kernmill-exec: {}: {}, and it goes on from there: later runs do not take up its result\n",
             attempt.plan.label(attempt.id), changed);
  return {};
}

Commit prepare_commit(const Attempt& attempt, const Leavings& leavings, const std::optional<Recipe>& before) {
  DigestStore digests(runs_root(attempt));
  Commit commit;
  commit.metrics = leavings.metrics;
  commit.peak_memory = leavings.peak_memory;
  commit.warning = leavings.warning;
  for (const auto& [name, path] : leavings.artifacts) {
    sync_tree(path);
    const Content content = content_of(path, digests, Links::kept);
    commit.artifacts.push_back({name, path.string(), content.bytes, content.sha256});
  }
  mark_temporary(commit.artifacts, attempt.plan.config(attempt.id));
  sync_directory(attempt.directory());
  if (before) commit.recipe = recipe_of_what_was_read(attempt, *before, recipe_now(attempt, digests));
  return commit;
}

void store_in_cache(const Attempt& attempt, const Commit& commit) {
  if (!commit.recipe) return;
  try {
    DigestStore digests(runs_root(attempt));
    Cache(runs_root(attempt), digests).store(entry_of(attempt, commit));
  } catch (const std::system_error& error) {
    fmt::print(stderr, "kernmill-exec: the result is safe, but later runs will not find it: {}\n",
               error.what());
  }
}

std::optional<CommittedResult> committed_from_cache(const Attempt& attempt) {
  DigestStore digests(runs_root(attempt));
  Cache cache(runs_root(attempt), digests);
  const Decision decision = decide(attempt.plan, attempt.id, results_of(attempt), cache, digests,
                                   programs(digests), leavings_known_to(attempt));
  if (decision.what != Decision::What::cached) return {};
  auto taken = take(*decision.entry, attempt.directory(), digests);
  if (!taken) return {};  // somebody has changed it just now
  mark_temporary(taken->artifacts, attempt.plan.config(attempt.id));
  Commit commit;
  commit.metrics = taken->metrics;
  commit.artifacts = taken->artifacts;
  commit.recipe = taken->recipe;
  store_in_cache(attempt, commit);
  CommittedResult result = commit.result();
  result.cached_from = decision.entry->attempt_directory.string();
  return result;
}

}  // namespace kernmill::exec
