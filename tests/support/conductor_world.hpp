#pragma once
#include <cstdlib>
#include <deque>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "fake_scheduler.hpp"
#include "kernmill/run/conductor/conductor.hpp"
#include "temporary_directory.hpp"

namespace kernmill::testing {

/// A command stage that waits for others.
inline Stage command_stage(const std::string& name, std::vector<std::string> needs = {}) {
  Stage stage;
  stage.name = name;
  stage.kind = TaskKind::command;
  stage.config = {{"run", "true"}, {"restart", ""}, {"inputs", Json::array()}, {"outputs", Json::array()}};
  stage.needs = std::move(needs);
  return stage;
}

inline Plan plan_of_stages(std::vector<Stage> stages) {
  Workflow workflow;
  workflow.name = "test";
  workflow.stages = std::move(stages);
  return Plan(std::move(workflow));
}

/// Gives a stage `count` instances.
inline Stage with_instances(Stage stage, int count) {
  Matrix::Axis axis{"i", {}};
  for (int i = 0; i < count; ++i) axis.values.emplace_back(i);
  stage.matrix.axes.push_back(std::move(axis));
  return stage;
}

/// Writes down what it is told: "fit started", "fit failed", ...
class RecordingOutput final : public Output {
 public:
  void begin(const RunDirectory&, const Plan& plan, const Progress&, bool) override { plan_ = &plan; }
  void instance(const InstanceEvent& event) override {
    static const std::map<InstanceEvent::What, std::string> words{
        {InstanceEvent::What::started, "started"},     {InstanceEvent::What::committed, "committed"},
        {InstanceEvent::What::cached, "cached"},       {InstanceEvent::What::skipped, "skipped"},
        {InstanceEvent::What::failed, "failed"},       {InstanceEvent::What::retrying, "retrying"},
        {InstanceEvent::What::continued, "continued"}, {InstanceEvent::What::stopped, "stopped"},
        {InstanceEvent::What::abandoned, "abandoned"}};
    told.push_back(plan_->label(event.id) + " " + words.at(event.what));
    if (!event.message.empty()) messages.push_back(event.message);
  }
  void stopping(bool force, std::size_t running) override {
    told.push_back(std::string(force ? "ending " : "stopping ") + std::to_string(running));
  }
  void end(const RunResult& result) override {
    told.push_back("end " + std::string(to_string(result.outcome)));
  }

  std::vector<std::string> told, messages;

 private:
  const Plan* plan_ = nullptr;
};

/// Everything that a conductor needs, without processes: what each job journals is written in a script.
class ConductorWorld {
 public:
  explicit ConductorWorld(Plan plan, int cores = 4)
      : plan_(std::move(plan)), scheduler(cores), run_(folder_.path() / "test-run") {
    std::filesystem::create_directories(run_.journal());
  }

  /// What the attempts of an instance journal, first attempt first; afterwards (and by default) they commit.
  std::map<std::string, std::deque<Record>> script;
  /// Jobs that end without a record.
  std::map<std::string, int> vanishing;
  /// Stages whose instances are packed.
  std::map<std::string, Packing> packings;
  std::map<JobId, HandedPack> packs;  ///< what was in each
  std::set<std::string> never_begun;  ///< members of packs ("a.3") that their pack does not come to, once
  /// Labels of instances that the cache has.
  std::map<std::string, Json> cached;
  bool committed_when_stored = false;  ///< the cache heard of a hit after its commit was durable
  std::deque<int> signals;
  std::string checkpoint = "none";
  std::vector<AttemptScale> scales;
  std::map<JobId, std::string> known;  ///< what each job's attempt was handed over
  std::vector<std::string> leftovers_ended;
  ConductorOptions options{.fail_fast = false, .session = "abcdef"};
  RecordingOutput output;

  RunResult conduct(const RunRecord* earlier = nullptr) {
    JournalWriter journal(run_.journal(), "conductor-1-" + std::to_string(++lives_), 0, "conductor");
    Conductor conductor(run_, plan_, scheduler, journal, output, ports(), options);
    if (earlier != nullptr) conductor.restore(*earlier);
    return conductor.run({1, 1, "here"});
  }

  [[nodiscard]] RunRecord journal() const { return fold_journal(run_.journal()); }
  [[nodiscard]] const Plan& plan() const { return plan_; }
  [[nodiscard]] const RunDirectory& run() const { return run_; }

  /// "fit.0" of the job id "fit.0.1-abcdef".
  static std::string instance_of(const JobId& job) { return job.substr(0, job.rfind('.')); }

 private:
  ConductorPorts ports() {
    ConductorPorts all;
    all.now = [this] { return now_ += std::chrono::seconds(1); };
    all.job_records = [this](const JobId& job) { return records_of(job); };
    all.job_size = [this](InstanceId id, const AttemptScale&) {
      JobSpec size;
      size.cores = plan_.resources(id).cores();
      return size;
    };
    all.job_spec = [this](const AttemptOrder& order) {
      scales.push_back(order.scale);
      known[order.job] = order.known;
      JobSpec spec;
      spec.name = order.job;
      spec.cores = plan_.resources(order.id).cores();
      return spec;
    };
    all.from_cache = [this](InstanceId id, unsigned, const CommitTable&) {
      const auto hit = cached.find(plan_.label(id));
      if (hit == cached.end()) return CacheAnswer{.committed = {}, .why_not = "no earlier result"};
      CommittedResult result{{{}, hit->second}, {}, "/earlier"};
      const auto note = [this, id] {
        committed_when_stored = journal().find(plan_.stage(id.stage).name, id.index) != nullptr;
      };
      return CacheAnswer{.committed = std::move(result), .after_commit = note};
    };
    all.packing = [this](std::uint32_t stage) { return packings[plan_.stage(stage).name]; };
    all.pack_spec = [this](const PackOrder& order) {
      if (!order.pack.instances.empty()) packs[order.job] = order.pack, known[order.job] = order.known;
      JobSpec spec;
      spec.name = order.job;
      spec.cores = static_cast<int>(order.pack.slots) * plan_.resources({order.stage, 0}).cores();
      return spec;
    };
    all.checkpoint_mark = [this](InstanceId) { return checkpoint; };
    all.end_leftovers = [this](InstanceId id, unsigned) { leftovers_ended.push_back(plan_.label(id)); };
    all.next_stop = [this]() -> std::optional<int> {
      if (signals.empty()) return {};
      const int signal = signals.front();
      signals.pop_front();
      return signal;
    };
    return all;
  }

  /// What the job of an attempt journals; it goes to disk too, as kernmill-exec would have put it there.
  std::vector<Record> records_of(const JobId& job) {
    if (const auto pack = packs.find(job); pack != packs.end()) return records_of_pack(job, pack->second);
    const std::string name = instance_of(job);
    if (auto gone = vanishing.find(name); gone != vanishing.end() && gone->second-- > 0) return {};
    auto& lines = script[name];
    Record last{"committed", {{"metrics", Json::object()}, {"artifacts", Json::array()}}};
    if (!lines.empty()) {
      last = lines.front();
      lines.pop_front();
    }
    last.body.update(place_of(job));
    Record started{"started", place_of(job)};
    started.body.update({{"pid", 1}, {"start_time", 1}, {"host", "here"}});
    JournalWriter file(run_.journal(), job, 0, "exec");
    for (const Record& record : {started, last}) file.append(record);
    return {started, last};
  }

  /// What is new of a pack's: all of it when it is asked for first.
  std::vector<Record> records_of_pack(const JobId& job, const HandedPack& pack) {
    if (!packs_read_.insert(job).second) return {};
    std::vector<Record> records;
    const std::string stage = job.substr(0, job.find(".pack."));
    for (const PackedInstance& instance : pack.instances) {
      const std::string name = stage + "." + std::to_string(instance.index);
      if (never_begun.erase(name) > 0) continue;
      const Json place{{"stage", stage}, {"instance", instance.index}, {"attempt", instance.attempt}};
      records.push_back({"started", place});
      records.back().body.update({{"pid", 1}, {"start_time", 1}, {"host", "here"}});
      if (auto gone = vanishing.find(name); gone != vanishing.end() && gone->second-- > 0) continue;
      Record last{"committed", {{"metrics", Json::object()}, {"artifacts", Json::array()}}};
      if (auto& lines = script[name]; !lines.empty()) {
        last = lines.front();
        lines.pop_front();
      }
      last.body.update(place);
      records.push_back(last);
    }
    JournalWriter(run_.journal(), job, 0, "exec").append_all(records);
    return records;
  }

  /// stage, instance and attempt of "fit.0.1-abcdef".
  static Json place_of(const JobId& job) {
    const std::size_t last = job.rfind('.'), first = job.rfind('.', last - 1);
    return {{"stage", job.substr(0, first)},
            {"instance", std::stoi(job.substr(first + 1))},
            {"attempt", std::stoi(job.substr(last + 1))}};
  }

  TemporaryDirectory folder_;
  Plan plan_;
  std::set<JobId> packs_read_;

 public:
  FakeScheduler scheduler;

 private:
  RunDirectory run_;
  std::chrono::steady_clock::time_point now_{};
  int lives_ = 0;
};

inline Record failure(const std::string& cause, const std::string& message = {}) {
  return {"failed", {{"cause", cause}, {"exit_code", 1}, {"message", message}}};
}

inline Record stop(const std::string& cause) {
  return {"stopped", {{"cause", cause}}};
}

inline Record commit(Json metrics) {
  return {"committed", {{"metrics", std::move(metrics)}, {"artifacts", Json::array()}}};
}

}  // namespace kernmill::testing
