#include "kernmill/exec/pack/pack.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <memory>
#include <system_error>

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>

#include "kernmill/base/exit_status.hpp"
#include "kernmill/exec/attempt/continuation.hpp"
#include "kernmill/exec/attempt/gathered.hpp"
#include "kernmill/exec/attempt/told_environment.hpp"
#include "kernmill/exec/job/rendezvous.hpp"
#include "kernmill/exec/pack/pack_guard.hpp"
#include "kernmill/exec/pack/pack_memory.hpp"
#include "kernmill/exec/pack/pack_outcome.hpp"
#include "kernmill/exec/pack/pack_queue.hpp"
#include "kernmill/exec/pack/pack_records.hpp"
#include "kernmill/exec/pack/packed_process.hpp"
#include "kernmill/exec/pack/spare_checkpoints.hpp"
#include "kernmill/os/durable_file.hpp"
#include "kernmill/os/memory_group.hpp"
#include "kernmill/plan/retry_policy.hpp"
#include "kernmill/run/directory/slot_log.hpp"
#include "kernmill/workflow/command_stage.hpp"
#include "kernmill/workflow/expression/expression.hpp"

namespace kernmill::exec {
namespace {

using Clock = PackedProcess::Clock;
using std::chrono::milliseconds;

struct Slot {
  Slot(std::string known_as, Place where, const std::filesystem::path& directory)
      : name(std::move(known_as)), place(std::move(where)), files(directory) {}
  std::string name;
  Place place;
  SlotFiles files;
  SpareCheckpoints checkpoints;
  PackedInstance instance;
  std::string mark;              ///< of the instance's checkpoints when its attempt began
  Environment environment;       ///< of the instance's program
  std::optional<Recipe> before;  ///< of what it was to read then, where its result may be taken up
  PackedProcess process;
};

Environment environment_of(const PackOptions& options) {
  Environment environment = own_environment();
  if (!options.token.empty()) set(environment, "KERNMILL_TOKEN", options.token);
  return environment;
}

class Pack {
 public:
  Pack(const PackOptions& options, CommitTable commits, JournalWriter& journal, StopRequests& stop)
      : options_(options),
        stop_(stop),
        journal_(journal.path()),
        environment_(environment_of(options)),
        records_(options, journal),
        queue_(options.instances),
        attempt_{options.run, options.plan, {options.array.stage, 0}, 1, false, std::move(commits)},
        mem_limit_(memory_limit(options.mem, options.array.resources)) {
    const unsigned count = std::max(1U, options.array.slots);
    const int cores = options.array.resources.cores() / static_cast<int>(count);
    const auto sets = options.shares_cores
                          ? std::vector<CoreSet>(count)
                          : split_cores(allowed_cores(), count, static_cast<unsigned>(std::max(1, cores)));
    for (unsigned i = 0; i < count; ++i) {
      const std::string name = fmt::format("{}.{}.{}", options.name(), options.restart, i);
      slots_.push_back(std::make_unique<Slot>(name, Place{i, count, sets[i], rendezvous(1, name)},
                                              options.run.slot(attempt_.stage().name, name)));
    }
  }

  int run() {
    spare_this_process();
    while (true) {
      hear_requests();
      fill();
      if (running() == 0) break;
      wait();
    }
    records_.flush();
    for (const auto& slot : slots_) slot->files.close();
    return stopping_ ? exit_stopped : exit_done;
  }

 private:
  [[nodiscard]] std::size_t running() const {
    return static_cast<std::size_t>(std::count_if(slots_.begin(), slots_.end(),
                                                  [](const auto& slot) { return slot->process.running(); }));
  }

  void fill() {
    if (stopping_) return;
    for (const auto& slot : slots_)
      while (!slot->process.running()) {
        const auto instance = queue_.next(running());
        if (!instance) return;
        slot->instance = *instance;
        start(*slot);
      }
  }

  Attempt& attempt_in(const Slot& slot) {
    attempt_.id.index = slot.instance.index;
    attempt_.number = slot.instance.attempt;
    attempt_.earlier_attempt_started = slot.instance.started_before;
    attempt_.place = slot.files.work();
    return attempt_;
  }

  void start(Slot& slot) {
    Attempt& attempt = attempt_in(slot);
    try {
      if (!may_run(slot, attempt)) return;
      records_.started(slot.instance, slot.name);
      slot.mark = mark_of(attempt.id);
      if (is_in_cache(slot, attempt)) return;
      check_inputs(attempt);
      write_gathered(attempt);
      if (const auto other = tell_other_inputs(attempt); !other.empty())
        records_.inputs_changed(slot.instance, other);
      if (leaves_artifacts(attempt.stage()))
        slot.before = recipe_of_all_attempts(attempt, recipe_before(attempt));
      else
        slot.before.reset();
      slot.files.begin(section_title(options_.plan.label(attempt.id), attempt.number));
      slot.checkpoints.give(attempt);
      PackedProgram program =
          packed_program(attempt, environment_, options_.launcher, slot.place, slot.files);
      const std::chrono::duration<double> limit = program.limit * slot.instance.time;
      program.limit = std::chrono::duration_cast<milliseconds>(limit);
      program.lead = lead_of(attempt.stage(), program.limit);
      if (runs_command(attempt.stage())) add_deadline(program);
      slot.environment = program.spawn.env;
      slot.process.start(program, stall_options_of(slot, attempt));
    } catch (const std::exception& error) {
      fail(slot, error.what());
    }
  }

  /// The element may end before the instance's own limit does.
  void add_deadline(PackedProgram& program) const {
    std::optional<std::chrono::system_clock::time_point> end = options_.end;
    if (program.limit.count() > 0) {
      const auto own = std::chrono::system_clock::now() + program.limit;
      end = end ? std::min(*end, own) : own;
    }
    if (end) set_deadline(program.spawn.env, *end);
  }

  /// The logs of a slot lie beside the folder that its instances work in.
  static StallOptions stall_options_of(const Slot& slot, const Attempt& attempt) {
    StallOptions options = stall_options(attempt);
    options.traces.push_back(slot.files.out());
    options.traces.push_back(slot.files.err());
    return options;
  }

  bool may_run(const Slot& slot, const Attempt& attempt) {
    const Admission admission = options_.admit ? options_.admit(attempt.id) : Admission{};
    if (admission.what == Admission::What::fail) throw AttemptError(admission.why);
    std::string why = admission.what == Admission::What::skip ? admission.why : "";
    try {
      if (why.empty() && !when_is_true(options_.plan, attempt.id, attempt.commits))
        why = why_false(options_.plan, attempt.id, attempt.commits);
    } catch (const ExpressionError& error) {
      throw AttemptError(fmt::format("when: {}: {}", attempt.stage().when, error.message));
    }
    if (!why.empty()) records_.skipped(slot.instance, why);
    return why.empty();
  }

  bool is_in_cache(const Slot& slot, Attempt& attempt) {
    if (attempt.number > 1 || options_.no_cache || !leaves_artifacts(attempt.stage())) return false;
    attempt.place.clear();
    make_directories(attempt.directory());
    const auto cached = committed_from_cache(attempt);
    if (cached) {
      records_.committed(slot.instance, *cached);
      audit_deployment(attempt, *cached);
    }
    attempt.place = slot.files.work();
    return cached.has_value();
  }

  void wait() {
    std::vector<pollfd> entries{{stop_.fd(), POLLIN, 0}};
    for (const auto& slot : slots_) entries.push_back({slot->process.fd(), POLLIN, 0});
    if (::poll(entries.data(), entries.size(), time_to_wait()) < 0 && errno != EINTR)
      throw std::system_error(errno, std::generic_category(), "cannot wait for instances");
    for (std::size_t i = 0; i < slots_.size(); ++i)
      if (entries[i + 1].revents != 0) settle(*slots_[i]);
    const Clock::time_point now = Clock::now();
    if (records_.due() && *records_.due() <= now) records_.flush();
    for (const auto& slot : slots_) slot->process.check_time(now);
    if (mem_limit_ > 0 && next_sample_ <= now) check_memory(now);
    check_stalls(now);
    for (const auto& slot : slots_)
      if (slot->process.is_stuck()) settle(*slot);
    if (next_heartbeat_ <= now) beat(now);
  }

  [[nodiscard]] int time_to_wait() const {
    Clock::time_point next = next_heartbeat_;
    if (mem_limit_ > 0) next = std::min(next, next_sample_);
    next = std::min({next, records_.due().value_or(next), lead_begins_.value_or(next)});
    for (const auto& slot : slots_)
      next =
          std::min({next, slot->process.deadline().value_or(next), slot->process.next_look().value_or(next)});
    return static_cast<int>(
        std::max<std::int64_t>(0, std::chrono::ceil<milliseconds>(next - Clock::now()).count()));
  }

  void hear_requests() {
    if (!stop_.asked() || told_to_end_) return;
    if (!stop_.told_to_end() && (stopping_ || waits_for_lead(Clock::now()))) return;
    stopping_ = true;
    lead_begins_.reset();
    told_to_end_ = stop_.told_to_end();
    const milliseconds left = told_to_end_ || !options_.time_left ? milliseconds(0) : options_.time_left();
    const bool is_order = told_to_end_ || left.count() == 0;
    for (const auto& slot : slots_)
      slot->process.ask_to_stop(left.count() > 0 ? left : options_.stop_grace, is_order);
  }

  /// A batch system may say much too early that time is short: what is left is for work until the lead
  /// begins.
  bool waits_for_lead(Clock::time_point now) {
    if (lead_begins_ && now < *lead_begins_) return true;
    constexpr milliseconds close_enough{1'000};
    const milliseconds lead = lead_of(attempt_.stage(), options_.array.resources.time);
    const milliseconds left = options_.time_left ? options_.time_left() : milliseconds(0);
    lead_begins_.reset();
    if (left <= lead + close_enough) return false;
    lead_begins_ = now + left - lead;
    return true;
  }

  void beat(Clock::time_point now) {
    ::utimensat(AT_FDCWD, journal_.c_str(), nullptr, 0);
    next_heartbeat_ = now + options_.heartbeat;
  }

  /// Ends the largest instance before the batch system ends them all.
  void check_memory(Clock::time_point now) {
    std::uint64_t sum = 0, most = 0;
    Slot* largest = nullptr;
    for (const auto& slot : slots_) {
      if (!slot->process.running()) continue;
      const std::uint64_t used = resident_memory(slot->process.pid());
      sum += used;
      if (used >= most) most = used, largest = slot.get();
    }
    const std::uint64_t limit = mem_limit_ / 20 * 19;
    if (sum > limit && largest != nullptr) largest->process.end_for_memory();
    next_sample_ = now + until_next_sample(sum, limit, running());
  }

  /// One look at the machine's processes is for all instances that are due about now.
  void check_stalls(Clock::time_point now) {
    const auto is_due = [&](const Slot& slot, milliseconds early) {
      const auto due = slot.process.next_look();
      return due && *due <= now + early;
    };
    if (std::none_of(slots_.begin(), slots_.end(),
                     [&](const auto& slot) { return is_due(*slot, milliseconds(0)); }))
      return;
    if (!processes_) processes_ = std::make_unique<ProcessTable>();
    processes_->refresh();
    for (const auto& slot : slots_)
      if (is_due(*slot, milliseconds(50))) slot->process.check_stall(now, *processes_, options_.stop_grace);
  }

  void settle(Slot& slot) {
    StepEnd end = slot.process.finish();
    if (end.exit_code != 0) end.asked_to_stop |= was_stopped_from_outside(end);
    constexpr int killed = 128 + SIGKILL;
    if (end.exit_code == killed && !end.killed && !end.out_of_memory && memory_->has_lost_a_process()) {
      end.out_of_memory = true;
      memory_ = std::make_unique<MemoryGroup>();
    }
    Attempt& attempt = attempt_in(slot);
    try {
      const AttemptOutcome outcome = packed_outcome(attempt, slot.files, end);
      if (attempt.place.empty())
        leave_environment(told_environment(slot.environment, environment_, attempt), attempt.directory());
      if (outcome.what != AttemptOutcome::What::done) return give_up(slot, outcome);
      const Commit commit = packed_commit(attempt, outcome.leavings, slot.before);
      records_.committed(slot.instance, commit.result());
      audit_deployment(attempt, commit.result());
      if (commit.recipe) {
        records_.flush();
        store_in_cache(attempt, commit);
      }
      if (!attempt.place.empty() && outcome.leavings.has_history)
        slot.files.keep_metrics(section_title(options_.plan.label(attempt.id), attempt.number));
      if (attempt.place.empty()) return;
      slot.files.clear();
      slot.checkpoints.take(attempt);
    } catch (const std::exception& error) {
      fail(slot, error.what());
    }
  }

  /// A batch system tells every process of the job to stop: an instance may end by that before this process
  /// has heard of it.
  bool was_stopped_from_outside(const StepEnd& end) {
    constexpr int terminated = 128 + SIGTERM;
    hear_requests();
    if (stopping_ || end.exit_code != terminated || end.near_limit) return stopping_;
    constexpr int timeout = 1'000;  // milliseconds; a request wakes us at once
    pollfd entry{stop_.fd(), POLLIN, 0};
    ::poll(&entry, 1, timeout);
    hear_requests();
    return stopping_;
  }

  void fail(Slot& slot, const std::string& why) {
    keep_directory(attempt_, slot.files);
    AttemptOutcome outcome;
    outcome.what = AttemptOutcome::What::failed;
    outcome.message = why;
    give_up(slot, outcome);
  }

  void give_up(Slot& slot, AttemptOutcome outcome) {
    if (!attempt_.place.empty()) slot.files.clear();
    if (stopping_ && outcome.what == AttemptOutcome::What::stopped) {
      if (!told_to_end_) outcome.cause = Cause::timeout;
      const InstanceId id{options_.array.stage, slot.instance.index};
      if (options_.new_checkpoint && mark_of(id) != slot.mark) options_.new_checkpoint();
      return records_.stopped(slot.instance, outcome);
    }
    PackedInstance next = slot.instance;
    ++next.attempt;
    next.started_before = true;
    const Retry retry = what_follows(slot, outcome.cause);
    if (retry.what != Retry::What::again) {
      if (options_.fail_fast && ++failed_ > attempt_.stage().max_fails) queue_.clear();
      return records_.failed(slot.instance, outcome);
    }
    next.out_of_memory |= outcome.cause == Cause::oom;
    next.failures += retry.counts && outcome.cause != Cause::oom ? 1 : 0;
    next.time = retry.time_factor;
    records_.retrying(slot.instance, outcome, retry);
    queue_.add(next);
  }

  [[nodiscard]] std::string mark_of(InstanceId id) const {
    return checkpoint_mark(options_.run.checkpoints(options_.plan.stage(id.stage).name, id.index));
  }

  /// What did not get enough memory beside others gets all that the element has, once, whatever its retries.
  /// A packed instance that stops when nobody asked it to has failed: nothing can preempt it alone.
  [[nodiscard]] Retry what_follows(const Slot& slot, Cause cause) const {
    const PackedInstance& instance = slot.instance;
    if (cause == Cause::oom)
      return {instance.out_of_memory ? Retry::What::none : Retry::What::again, true, 1.0, instance.time};
    const bool new_checkpoint = mark_of({options_.array.stage, instance.index}) != slot.mark;
    return retry_after(attempt_.stage().retries, {instance.failures, 1.0, instance.time},
                       {Ended::How::failed, cause, new_checkpoint});
  }

  const PackOptions& options_;
  const PackGuard guard_{options_.token};
  StopRequests& stop_;
  const std::filesystem::path journal_;
  const Environment environment_;
  PackRecords records_;
  PackQueue queue_;
  Attempt attempt_;  ///< looked at now: one for all, since its table of commits is large
  std::vector<std::unique_ptr<Slot>> slots_;
  std::uint64_t mem_limit_;
  std::unique_ptr<MemoryGroup> memory_ = std::make_unique<MemoryGroup>();
  std::unique_ptr<ProcessTable> processes_;  ///< made when a stage is watched for stalls
  Clock::time_point next_sample_ = Clock::now();
  Clock::time_point next_heartbeat_ = Clock::now() + options_.heartbeat;
  std::optional<Clock::time_point> lead_begins_;  ///< of the element's job, which has said that time is short
  int failed_ = 0;                                ///< instances, for good
  bool stopping_ = false, told_to_end_ = false;
};

}  // namespace

int run_pack(const PackOptions& options, CommitTable commits, JournalWriter& journal, StopRequests& stop) {
  return Pack(options, std::move(commits), journal, stop).run();
}

}  // namespace kernmill::exec
