#pragma once
#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include <sys/wait.h>
#include <unistd.h>

#include "kernmill/base/sha256.hpp"
#include "kernmill/run/cache/prediction.hpp"
#include "temporary_directory.hpp"

namespace kernmill::testing {

namespace fs = std::filesystem;

using testing::TemporaryDirectory;

inline void write(const fs::path& file, const std::string& text) {
  fs::create_directories(file.parent_path());
  std::ofstream(file, std::ios::binary) << text;
}

inline std::string text_of(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

/// A clock that is far ahead of the times of all files: none of them may change once more at that time.
inline std::chrono::system_clock::time_point tomorrow() {
  return std::chrono::system_clock::now() + std::chrono::hours(24);
}

/// As if the file had been written an hour ago: its time stamp will not be met again.
inline void age(const fs::path& file, std::chrono::hours by = std::chrono::hours(1)) {
  fs::last_write_time(file, fs::last_write_time(file) - by);
}

/// Runs `work` in that many processes at once; how many of them failed.
inline int failures_of(int processes, const std::function<bool(int)>& work) {
  for (int p = 0; p < processes; ++p) {
    if (::fork() != 0) continue;
    int status = 2;
    try {
      status = work(p) ? 0 : 1;
    } catch (...) {  // reported by the status
    }
    ::_exit(status);
  }
  int failures = 0;
  for (int p = 0; p < processes; ++p) {
    int status = 0;
    ::wait(&status);
    failures += status == 0 ? 0 : 1;
  }
  return failures;
}

/// Plans are carried out here without any process: every instance leaves one artifact that depends on its
/// recipe alone, and a metric. All of it is put into the cache, as a run does.
class Laboratory {
 public:
  Laboratory() { fs::create_directories(runs_root()); }

  [[nodiscard]] fs::path runs_root() const { return directory_.path() / "runs"; }
  [[nodiscard]] fs::path file(const std::string& name) const { return directory_.path() / name; }
  /// A source file beside the workflow, an hour old.
  void put(const std::string& name, const std::string& text) const {
    write(file(name), text);
    age(file(name));
  }

  /// Carries out the plan as run `run`; metrics by stage name.
  void carry_out(const Plan& plan, const std::string& run, const std::map<std::string, Json>& metrics = {}) {
    std::map<InstanceId, InstanceResult> results;
    const ResultOf result_of = [&](InstanceId id) -> std::optional<InstanceResult> {
      const auto found = results.find(id);
      return found == results.end() ? std::nullopt : std::optional(found->second);
    };
    for (std::uint32_t s = 0; s < plan.stage_count(); ++s)
      for (std::uint32_t i = 0; i < plan.instance_count(s); ++i) {
        const InstanceId id{s, i};
        const auto outcome = recipe_of(plan, id, result_of, digests, programs);
        const auto* recipe = std::get_if<Recipe>(&outcome);
        if (recipe == nullptr) continue;
        const auto own = metrics.find(plan.stage(s).name);
        cache.store(commit(plan, id, run, *recipe, own == metrics.end() ? Json::object() : own->second));
        const CacheEntry entry = *cache.read(recipe->key);
        results[id] = {entry.artifacts, entry.metrics};
      }
  }

  CachePrediction predicted(const Plan& plan, const PredictOptions& options = {}) {
    return predict(plan, cache, digests, programs, options);
  }
  /// "runs: no earlier result" and so on, of the instance with that label.
  std::string told(const Plan& plan, const std::string& label) {
    const CachePrediction prediction = predicted(plan);
    for (std::uint32_t s = 0; s < plan.stage_count(); ++s)
      for (std::uint32_t i = 0; i < plan.instance_count(s); ++i)
        if (plan.label({s, i}) == label) return to_string(prediction.of({s, i}));
    return "no such instance";
  }

 private:
  TemporaryDirectory directory_;

 public:
  DigestStore digests{runs_root(), tomorrow};
  Cache cache{runs_root(), digests};
  ProgramDigests programs{"digest of kernmill-task", "digest of kernmill-exec"};

 private:
  [[nodiscard]] CacheEntry commit(const Plan& plan, InstanceId id, const std::string& run,
                                  const Recipe& recipe, const Json& metrics) const {
    const Stage& stage = plan.stage(id.stage);
    CacheEntry entry{recipe,  plan.workflow().name,      stage.name, id.index, run, {}, {},
                     metrics, "2026-11-21T04:05:06.123Z"};
    entry.attempt_directory = runs_root() / run / stage.name / std::to_string(id.index);
    for (const char* name : {"dataset", "model", "best", "out.txt"}) {
      const fs::path path = entry.attempt_directory / name;
      const std::string content = std::string(name) + " of " + recipe.key;
      write(path, content);
      age(path);
      entry.artifacts.push_back({name, path.string(), content.size(), sha256(content)});
    }
    return entry;
  }
};

}  // namespace kernmill::testing
