#pragma once
#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "conductor_world.hpp"
#include "fake_cluster.hpp"
#include "kernmill/run/conductor/conductor_lock.hpp"
#include "kernmill/run/journal/events.hpp"
#include "kernmill/run/submit/cancellation.hpp"
#include "kernmill/run/submit/generation.hpp"
#include "kernmill/run/submit/missing_jobs.hpp"
#include "kernmill/run/submit/removal.hpp"
#include "kernmill/run/submit/settling.hpp"
#include "kernmill/run/submit/submitted_array.hpp"

namespace kernmill::testing {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

/// A kill -9 of the process that writes a record.
struct Killed {};
/// Something that must not be, and the history that leads there.
struct Broken : std::logic_error {
  using std::logic_error::logic_error;
};

/// What happens while a command is at one of its records.
enum class Event {
  nothing,
  kill,
  kill_request_under_way,  ///< what it has asked for last is carried out later
  wish,                    ///< somebody starts to cancel, and goes on once the command has ended
  controller_down,         ///< until the command has ended
  controller_forgets,      ///< all jobs, and which ids it has given out
  start,                   ///< the next element that may run does
  finish,                  ///< the first element that runs commits
};

inline const Plan& the_plan() {
  static const Plan plan =
      plan_of_stages({with_instances(command_stage("a"), 2), with_instances(command_stage("b", {"a"}), 2)});
  return plan;
}

/// All that a history has led to. A copy can go another way.
class ModelledRun {
 public:
  explicit ModelledRun(const fs::path& place) : place_(place) {
    fs::create_directories(run().journal());
    cluster_.lingers = true;
  }
  ModelledRun(const ModelledRun& other, const fs::path& place) : ModelledRun(other) {
    place_ = place;
    fs::create_directories(place_);
    if (fs::exists(other.run().root()))
      fs::copy(other.run().root(), run().root(), fs::copy_options::recursive);
  }

  std::string history;

  [[nodiscard]] bool exists() const { return fs::exists(run().root()); }
  [[nodiscard]] bool has_jobs() const { return !live_jobs(run(), cluster_.known).empty() || late_; }

  /// Carries out a command with an event at its record number `at` (each counts twice: before and after it is
  /// durable). False when it has ended before that.
  bool submit(bool resumed, int at, Event event) {
    if (!exists()) return false;
    note(resumed ? "resume" : "submit", at, event);
    const std::set<InstanceId> done = committed();
    const unsigned newest = newest_generation();
    MissingJobsOptions options;
    options.resumed = resumed;
    options.exec = "/bin/kernmill-exec";
    options.submission.pause = [this](milliseconds) { settle(); };
    options.submission.timeout = milliseconds(1'000);
    options.take_ready_results = [](const Plan&, const RunRecord& record, JournalWriter&) { return record; };
    options.tell = [](const std::string&) {};
    options.hook = hook(at, event);
    guarded([&] { submit_missing(run(), the_plan(), cluster_, {}, options); });
    for (const auto& [number, generation] : record().generations)
      if (number > newest) check_nothing_twice(generation, done);
    if (wished_) cancel(-1, Event::nothing);
    return reached();
  }

  bool cancel(int at, Event event) {
    if (!exists()) return false;
    note("cancel", at, event);
    JournalWriter journal(run().journal(), "cancel", serial_++, "submit", hook(at, event));
    const CancellationOptions options{milliseconds(1'000), milliseconds(2'000),
                                      [this](milliseconds) { settle(); }};
    bool stopped = false;
    guarded([&] {
      const ConductorLock lock(run().lock(), self_identity(), ConductorLock::Purpose::settle);
      stopped = cancel_jobs(run(), cluster_, journal, options).still_ending.empty();
    });
    if (stopped && has_jobs()) broken("jobs are left of a run that is said to have stopped");
    return reached();
  }

  void clean() {
    if (!exists()) return;
    note("clean", -1, Event::nothing);
    const bool must_stay = has_jobs();
    remove_run(run(), self_identity(), [this]() -> Cluster& { return cluster_; });
    if (must_stay && !exists()) broken("a run with jobs was removed");
  }

  // What the cluster does by itself. False: nothing of that kind can happen.
  bool start() {
    if (!exists()) return false;
    for (const ClusterJob& job : cluster_.known)
      for (const ClusterJob& element : elements_of(job))
        if (job.state == JobState::pending && !job.held && may_start(element)) {
          note("start", -1, Event::nothing);
          return begin(element), true;
        }
    return false;
  }
  bool finish(bool well = true) {
    if (!exists()) return false;
    for (const ClusterJob& job : cluster_.known)
      if (job.state == JobState::running) {
        note(well ? "finish" : "fail", -1, Event::nothing);
        return end(job, well), true;
      }
    return false;
  }
  bool hold() {
    for (ClusterJob& job : cluster_.known)
      if (job.state == JobState::pending && !job.held && job.dependency.empty() &&
          live_jobs(run(), {job}).size() == 1) {
        note("hold", -1, Event::nothing);
        return job.held = true;
      }
    return false;
  }
  bool scancel() {
    for (const ClusterJob& job : cluster_.known)
      if (job.state == JobState::pending && !job.elements.empty()) {
        note("scancel", -1, Event::nothing);
        const IndexRanges elements = IndexRanges::parse(job.elements);
        cluster_.cancel(fmt::format("{}_{}", job.id, elements.at(elements.size() - 1)));
        return true;
      }
    return false;
  }
  bool forget() {
    note("forget", -1, Event::nothing);
    cluster_.known.clear();
    cluster_.last_id = 0;
    late_.reset();
    has_forgotten_ = true;
    return true;
  }
  /// Requests arrive, processes end, and what can never start is ended by the cluster.
  bool settle() {
    if (late_) cluster_.known.push_back(*std::exchange(late_, {}));
    std::vector<std::string> hopeless;
    for (ClusterJob& job : cluster_.known) {
      if (job.state == JobState::completing) job.state = JobState::cancelled;
      for (const ClusterJob& element : elements_of(job))
        if (job.state == JobState::pending && never_starts(element)) hopeless.push_back(name_of(element));
    }
    for (const std::string& name : hopeless)
      cluster_.change_part(name, [](ClusterJob& one) { one.state = JobState::cancelled; });
    return true;
  }

  /// Whatever was before: one `resume` brings the run to its end, nothing is left, and nothing ran in vain.
  void check_that_it_can_be_finished() {
    if (!exists()) return;
    if (record().outcome != "done") submit(true, -1, Event::nothing);
    for (int more = 1; more > 0;) {
      settle();
      more = (start() ? 1 : 0) + (finish() ? 1 : 0);
    }
    if (record().outcome != "done") broken("it cannot be finished: " + record().outcome);
    if (committed().size() != 4) broken("not all of it has committed");
    if (has_jobs()) broken("jobs are left of a run that is done");
  }

  /// What makes a difference for all that may come: ids are as good as others, and what has ended matters to
  /// those alone that wait for it.
  [[nodiscard]] std::string state() const {
    if (!exists()) return "";
    std::map<std::string, std::string> names;
    const auto short_name = [&](const std::string& id) {
      return id.empty() ? "" : names.try_emplace(id, fmt::format("j{}", names.size())).first->second;
    };
    std::string text;
    std::vector<ClusterJob> jobs = cluster_.known;
    if (late_) jobs.push_back(*late_);
    for (const ClusterJob& job : jobs) {
      const bool awaited = std::any_of(jobs.begin(), jobs.end(), [&](const ClusterJob& other) {
        const auto waits = waits_of(other);
        return is_live(other.state) && std::any_of(waits.begin(), waits.end(),
                                                   [&](const auto& wait) { return wait.second == job.id; });
      });
      if (!is_live(job.state) && !awaited) continue;
      text += fmt::format("|{}_{} {} {} {}", short_name(job.id), job.elements, static_cast<int>(job.state),
                          job.held, job.comment);
      for (const auto& [kind, id] : waits_of(job)) text += fmt::format(" {}:{}", kind, short_name(id));
    }
    const RunRecord known = record();
    text += fmt::format("|{} {} {} {} {}", known.outcome, next_generation(run(), known, {}),
                        is_cancel_wished(run()), late_.has_value(), has_forgotten_);
    for (const auto& [number, one] : known.generations) {
      if (one.rolled_back) continue;
      text += fmt::format("|g{}{}{}", number, one.accepted ? 'a' : '-', one.released ? 'r' : '-');
      for (const auto& [key, array] : one.arrays)
        text += fmt::format(" {}={}", key, names.contains(array.job) ? short_name(array.job) : "gone");
    }
    for (const auto& [key, instance] : known.instances) {
      text += fmt::format("|{}{}", key.first, key.second);
      for (const AttemptRecord& attempt : instance.attempts)
        text += fmt::format(" {}{}{}", attempt.number, attempt.started, static_cast<int>(attempt.state));
    }
    return text;
  }

 private:
  ModelledRun(const ModelledRun&) = default;

  [[nodiscard]] RunDirectory run() const { return RunDirectory(place_ / "flow-20261129-000000-0000"); }
  [[nodiscard]] RunRecord record() const { return fold_journal(run().journal()); }
  [[nodiscard]] unsigned newest_generation() const {
    const RunRecord known = record();
    return known.generations.empty() ? 0 : known.generations.rbegin()->first;
  }
  [[nodiscard]] std::set<InstanceId> committed() const {
    std::set<InstanceId> done;
    for (const auto& [key, instance] : record().instances)
      if (instance.committed) done.insert({the_plan().stage_number(key.first), key.second});
    return done;
  }

  void note(const std::string& what, int at, Event event) {
    history += at < 0 ? fmt::format("; {}", what)
                      : fmt::format("; {} with {} at {}", what, static_cast<int>(event), at);
  }
  [[noreturn]] void broken(const std::string& what) const { throw Broken(what + history + "\n" + state()); }

  [[nodiscard]] bool reached() const { return seen_ > at_ && at_ >= 0; }

  JournalWriter::Hook hook(int at, Event event) {
    at_ = at;
    seen_ = 0;
    wished_ = false;
    return [this, event](const Record& now, bool durable) {
      if (seen_++ == at_) happen(event, now, durable);
    };
  }

  void happen(Event event, const Record& now, bool durable) {
    switch (event) {
      case Event::nothing:
        return;
      case Event::kill:
        throw Killed{};
      case Event::kill_request_under_way:
        if (now.event == events::ArraySubmitted::name && !durable && !cluster_.known.empty()) {
          late_ = cluster_.known.back();
          cluster_.known.pop_back();
        }
        throw Killed{};
      case Event::wish:
        wish_to_cancel(run());
        wished_ = true;
        return;
      case Event::controller_down:
        cluster_.is_down = true;
        return;
      case Event::controller_forgets:
        forget();
        return;
      case Event::start:
        start();
        return;
      case Event::finish:
        finish();
        return;
    }
  }

  /// What may befall a command is no mistake of the program; everything else is.
  void guarded(const std::function<void()>& command) {
    try {
      command();
    } catch (const Killed&) {
    } catch (const ClusterError&) {
    } catch (const SubmissionCancelled&) {
    } catch (const Broken&) {
      throw;
    } catch (const std::exception& error) {
      broken(error.what());
    }
    cluster_.is_down = false;
    cluster_.calls.clear();
    cluster_.submitted.clear();
  }

  void check_nothing_twice(const Generation& generation, const std::set<InstanceId>& done) const {
    for (const auto& [key, array] : generation.arrays) {
      const ArrayPlan plan = array_from_json(array.plan, the_plan());
      for (const InstanceId id : done)
        if (id.stage == plan.stage && plan.instances.contains(id.index))
          broken("a committed instance was submitted again");
    }
  }

  /// The jobs that one waits for, by kind: "afterok:1,afterany:2:3".
  static std::vector<std::pair<std::string, std::string>> waits_of(const ClusterJob& job) {
    std::vector<std::pair<std::string, std::string>> waits;
    std::istringstream parts(job.dependency);
    for (std::string part; std::getline(parts, part, ',');) {
      std::istringstream words(part);
      std::string kind;
      std::getline(words, kind, ':');
      for (std::string id; std::getline(words, id, ':');) waits.emplace_back(kind, id);
    }
    return waits;
  }

  static std::string name_of(const ClusterJob& job) {
    return job.elements.empty() ? job.id : job.id + "_" + job.elements;
  }
  static std::vector<ClusterJob> elements_of(const ClusterJob& job) {
    if (job.elements.empty()) return {job};
    std::vector<ClusterJob> elements;
    const IndexRanges indices = IndexRanges::parse(job.elements);
    for (std::uint32_t rank = 0; rank < indices.size(); ++rank) {
      elements.push_back(job);
      elements.back().elements = std::to_string(indices.at(rank));
    }
    return elements;
  }

  /// What an element waits for: of "afterok:1", all of that job that the cluster knows; of "aftercorr:1", its
  /// element of the same number.
  template <typename Test>
  [[nodiscard]] bool any_awaited(const ClusterJob& element, const Test& test) const {
    for (const auto& [kind, id] : waits_of(element))
      for (const ClusterJob& other : cluster_.known)
        if (other.id == id && id != element.id &&
            (kind != "aftercorr" ||
             IndexRanges::parse(other.elements).contains(IndexRanges::parse(element.elements))) &&
            test(kind, other))
          return true;
    return false;
  }
  /// Who is not known is no hindrance, as Slurm has it.
  [[nodiscard]] bool may_start(const ClusterJob& element) const {
    return !any_awaited(element, [](const std::string& kind, const ClusterJob& other) {
      return is_live(other.state) || (kind != "afterany" && other.state != JobState::completed);
    });
  }
  [[nodiscard]] bool never_starts(const ClusterJob& element) const {
    const bool some_live = any_awaited(element, [](const std::string& kind, const ClusterJob& other) {
      return kind == "afterok" && is_live(other.state);
    });
    return !some_live && any_awaited(element, [](const std::string& kind, const ClusterJob& other) {
      return kind != "afterany" && !is_live(other.state) && other.state != JobState::completed;
    });
  }

  struct Element {
    SubmittedArray array;
    std::string job;
    InstanceId id;
    unsigned starts = 0;  ///< before this one
    [[nodiscard]] events::Subject subject() const {
      return {the_plan().stage(id.stage).name, id.index, array.plan.attempt + starts};
    }
  };

  /// The first element that a record of the queue stands for; nothing when nobody has written of it.
  [[nodiscard]] std::optional<Element> element_of(const ClusterJob& job) const {
    const auto identity = identity_in(job.comment);
    for (SubmittedArray& array : submitted_arrays(the_plan(), record())) {
      if (array.generation != identity->generation || array.plan.key != identity->key) continue;
      Element element{array, job.id, {}, 0};
      const std::uint32_t number = job.elements.empty() ? 0 : IndexRanges::parse(job.elements).at(0);
      if (array.plan.is_array) element.job = fmt::format("{}_{}", job.id, number);
      element.id = {array.plan.stage, array.plan.instances_of(number).at(0)};
      element.starts = BegunJobs(run().journal()).starts(element.job, array.generation);
      return element;
    }
    return {};
  }

  void begin(const ClusterJob& job) {
    const auto identity = identity_in(job.comment);
    if (identity->key == closing_key) return close(job, identity->generation);
    const auto element = element_of(job);
    const std::string name = element ? element->job : job.id;
    const auto become = [&](JobState state) {
      cluster_.change_part(name, [&](ClusterJob& one) { one.state = state; });
    };
    if (!element) return become(JobState::failed);
    const auto done = committed();
    if (done.contains(element->id)) return become(JobState::completed);
    for (const Edge& edge : the_plan().parents(element->id.stage))
      for (std::uint32_t i = 0; i < the_plan().instance_count(edge.stage); ++i)
        if ((edge.kind == EdgeKind::all || i == element->id.index) && !done.contains({edge.stage, i}))
          return become(JobState::failed);
    JournalWriter(run().journal(), journal_name(name, element->array.generation), element->starts, "exec")
        .append(to_record(events::Started{element->subject(), name, {1, 1, "n1"}}));
    become(JobState::running);
  }

  void end(const ClusterJob& job, bool well) {
    auto element = element_of(job);
    const std::string name = element ? element->job : job.id;
    if (element) {
      --element->starts;
      JournalWriter writer(run().journal(), "end", serial_++, "exec");
      if (well)
        writer.append(to_record(events::Committed{element->subject()}));
      else
        writer.append(to_record(events::Failed{element->subject(), {}}));
    }
    cluster_.change_part(name,
                         [&](ClusterJob& one) { one.state = well ? JobState::completed : JobState::failed; });
  }

  /// As the closing job does it.
  void close(const ClusterJob& job, unsigned generation) {
    cluster_.change_part(job.id, [](ClusterJob& one) { one.state = JobState::completed; });
    for (const auto& [identity, other] : live_jobs(run(), cluster_.known))
      if (identity.generation < generation ||
          (identity.generation == generation && identity.key != closing_key))
        cluster_.cancel(other.id);
    const RunRecord known = record();
    for (const auto& [number, other] : known.generations)
      if (number > generation && !other.rolled_back) return;
    const char* outcome = committed().size() == 4 ? "done" : "failed";
    JournalWriter(run().journal(), "close", serial_++, "close")
        .append(to_record(events::RunFinished{outcome, generation, known.lives.at(generation)}));
  }

  fs::path place_;
  FakeCluster cluster_;
  std::optional<ClusterJob> late_;  ///< has been asked for, and is not there yet
  unsigned serial_ = 0;
  int at_ = -1, seen_ = 0;
  bool wished_ = false, has_forgotten_ = false;
};

}  // namespace kernmill::testing
