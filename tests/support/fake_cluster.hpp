#pragma once
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "kernmill/plan/index_ranges.hpp"
#include "kernmill/scheduler/cluster.hpp"

namespace kernmill::testing {

inline std::string option_of(const BatchJob& job, const std::string& name) {
  for (const auto& [key, value] : job.options)
    if (key == name) return value.empty() ? "yes" : value;
  return "";
}

/// A cluster that writes down what it is asked to do: "submit 1 iris.fit", "release 1", "cancel 3_[2-4]", ...
/// Its jobs stay pending until a test says otherwise.
class FakeCluster final : public Cluster {
 public:
  /// What the next calls of `submit` do, one each: nothing special, or an error.
  struct Mishap {
    ClusterError::Kind kind;
    bool carried_out = false;  ///< the job is there, although the answer was lost
  };
  std::deque<std::optional<Mishap>> mishaps;
  /// Fails every call from now on.
  bool is_down = false;
  bool refuses_release = false;
  bool lingers = false;  ///< running jobs that are cancelled do not end at once: they are completing
  unsigned last_id = 0;  ///< that it has given out
  std::vector<std::string> calls;
  std::vector<BatchJob> submitted;
  std::vector<ClusterJob> known;
  ClusterFacts facts_;

  [[nodiscard]] std::string description() const override { return "a fake cluster"; }
  [[nodiscard]] std::vector<std::string> check(const BatchJob&) const override { return {}; }

  std::string submit(const BatchJob& job) override {
    require_up();
    std::optional<Mishap> mishap;
    if (!mishaps.empty()) {
      mishap = mishaps.front();
      mishaps.pop_front();
    }
    std::string id;
    if (!mishap || mishap->carried_out) id = accept(job);
    if (mishap) throw ClusterError(mishap->kind, "a mishap");
    return id;
  }
  void release(const std::string& job) override {
    note("release " + job);
    if (refuses_release) throw ClusterError(ClusterError::Kind::rejected, "access denied");
    change_part(job, [](ClusterJob& one) { one.held = false; });
  }
  void cancel(const std::string& job) override {
    note("cancel " + job);
    change_part(job, [this](ClusterJob& one) {
      if (!is_live(one.state)) return;
      const bool takes_time = lingers && one.state == JobState::running;
      one.state = takes_time ? JobState::completing : JobState::cancelled;
    });
  }
  void signal(const std::string& job, int signal) override {
    note("signal " + job + " " + std::to_string(signal));
  }
  void requeue(const std::string& job) override { note("requeue " + job); }
  void change(const std::string& job, const BatchJob::Options& options) override {
    std::string text = "change " + job;
    for (const auto& [name, value] : options) text += " " + name + "=" + value;
    note(text);
  }
  std::vector<ClusterJob> jobs() override {
    require_up();
    ++queries;
    return known;
  }
  std::vector<ClusterJob> job(const std::string& id) override {
    require_up();
    ++queries;
    std::vector<ClusterJob> found;
    for (const ClusterJob& one : known)
      if (one.id == id || one.id + "_" + one.elements == id) found.push_back(one);
    return found;
  }
  ClusterFacts facts() override {
    require_up();
    return facts_;
  }
  /// When a job would start; nothing: the cluster does not say.
  std::function<std::optional<std::chrono::system_clock::time_point>(const BatchJob&)> start_of;
  std::optional<std::chrono::system_clock::time_point> expected_start(const BatchJob& job) override {
    require_up();
    return start_of ? start_of(job) : std::nullopt;
  }
  std::map<std::string, std::uint64_t> request_counts() override { return {}; }

  int queries = 0;

  /// Does something to a job, an element ("12_3") or several ("12_[3-5,9]"): their records are split off
  /// where they have to be.
  template <typename Change>
  void change_part(const std::string& name, const Change& change) {
    const std::size_t bar = name.find('_');
    const std::string id = name.substr(0, bar);
    std::string part = bar == std::string::npos ? "" : name.substr(bar + 1);
    if (part.starts_with('[')) part = part.substr(1, part.size() - 2);
    std::vector<ClusterJob> split;
    for (ClusterJob& one : known) {
      if (one.id != id) continue;
      if (part.empty() || one.elements.empty() || one.elements == part) {
        change(one);
        continue;
      }
      IndexRanges taken, rest;
      const IndexRanges wanted = IndexRanges::parse(part), all = IndexRanges::parse(one.elements);
      for (const auto& range : all.ranges())
        for (std::uint32_t i = range.first; i <= range.last; ++i)
          (wanted.contains(i) ? taken : rest).append(i);
      if (taken.empty()) continue;
      ClusterJob other = one;
      (rest.empty() ? one : other).elements = taken.text();
      if (rest.empty()) {
        change(one);
        continue;
      }
      one.elements = rest.text();
      change(other);
      split.push_back(std::move(other));
    }
    known.insert(known.end(), split.begin(), split.end());
  }

 private:
  void require_up() const {
    if (is_down) throw ClusterError(ClusterError::Kind::unavailable, "the controller does not answer");
  }
  void note(const std::string& call) {
    require_up();
    calls.push_back(call);
  }
  std::string accept(const BatchJob& job) {
    submitted.push_back(job);
    ClusterJob one;
    one.id = std::to_string(++last_id);
    one.elements = option_of(job, "array");
    one.elements = one.elements.substr(0, one.elements.find('%'));
    one.name = option_of(job, "job-name");
    one.comment = option_of(job, "comment");
    one.dependency = option_of(job, "dependency");
    one.held = !option_of(job, "hold").empty();
    known.push_back(one);
    calls.push_back("submit " + one.id + " " + one.name);
    return one.id;
  }
};

}  // namespace kernmill::testing
