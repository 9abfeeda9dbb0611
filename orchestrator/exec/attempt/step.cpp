#include "kernmill/exec/attempt/step.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <optional>
#include <system_error>

#include <poll.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kernmill/exec/attempt/stop_call.hpp"
#include "kernmill/os/memory_group.hpp"
#include "kernmill/os/memory_watch.hpp"
#include "kernmill/plan/notice.hpp"
#include "kernmill/workflow/command_stage.hpp"

namespace kernmill::exec {
namespace {

using std::chrono::milliseconds;
constexpr milliseconds look_interval{100};

[[noreturn]] void fail(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

class Timer {
 public:
  Timer() : fd_(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK)) {
    if (!fd_) fail("cannot make a timer");
  }
  void set(milliseconds after) {
    itimerspec when{};
    when.it_value = {after.count() / 1000, after.count() % 1000 * 1'000'000};
    if (after.count() <= 0) when.it_value.tv_nsec = 1;  // 0 would disarm it
    if (::timerfd_settime(fd_.get(), 0, &when, nullptr) != 0) fail("cannot set a timer");
  }
  bool expired() {
    std::uint64_t times = 0;
    return ::read(fd_.get(), &times, sizeof times) == sizeof times;
  }
  [[nodiscard]] int fd() const { return fd_.get(); }

 private:
  FileDescriptor fd_;
};

class Step {
 public:
  Step(const StepOptions& options, StopRequests& stop) : options_(options), stop_(stop) {}

  StepEnd run(const std::function<void(int, std::uint64_t)>& started) {
    const MemoryGroup memory;
    adopt_orphans();
    pid_ = spawn(options_.spawn);
    start_time_ = start_time_of(pid_);
    process_ = FileDescriptor(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
    try {
      if (!process_) fail("cannot watch the step");
      started(pid_, start_time_);
      watch();
    } catch (...) {
      end_all();
      if (!is_stuck_) reap(pid_);
      throw;
    }
    // The first process is a zombie until it is reaped: nobody else can have its number yet.
    if (!is_stuck_ && has_left_any()) end_all();
    const ChildEnd end = is_stuck_ ? ChildEnd{128 + SIGKILL, SIGKILL, 0} : wait_for_end(pid_);
    end_.exit_code = end.exit_code;
    end_.signal = end.signal;
    // What srun starts is no descendant of this process: its job's group knows.
    const bool by_srun = options_.signal_ranks && !options_.rank_program.empty();
    end_.peak_memory = by_srun ? memory.peak() : peak_of_children();
    end_.out_of_memory =
        exceeded_ || memory.has_lost_a_process() || (end_.asked_to_stop && memory_.was_exceeded());
    return end_;
  }

 private:
  void watch() {
    if (options_.limit.count() > 0) limit_.set(options_.limit - options_.lead);
    if (memory_.is_on()) look_.set(look_interval);
    if (options_.heartbeat) heartbeat_.set(options_.heartbeat_interval);
    if (options_.stall.after.count() > 0) watch_for_stall();
    if (in_batch_job()) hear_batch_system();  // it may have said something before
    while (true) {
      pollfd entries[] = {{process_.get(), POLLIN, 0},  {end_.asked_to_stop ? -1 : stop_.fd(), POLLIN, 0},
                          {limit_.fd(), POLLIN, 0},     {again_.fd(), POLLIN, 0},
                          {heartbeat_.fd(), POLLIN, 0}, {look_.fd(), POLLIN, 0},
                          {stall_look_.fd(), POLLIN, 0}};
      if (::poll(entries, std::size(entries), -1) < 0 && errno != EINTR) fail("cannot wait for the step");
      if (entries[0].revents != 0) return;
      if (entries[1].revents != 0) hear_requests();
      if (limit_.expired()) reach_limit();
      if (again_.expired()) pass_on();
      if (heartbeat_.expired()) beat();
      if (look_.expired()) look_at_memory();
      if (stall_look_.expired()) look_for_stall();
      if (is_stuck_) return;
    }
  }

  void end_all() {
    const auto left = end_tree(pid_, start_time_, options_.token, options_.longest_end);
    end_.still_there = still_there_text(left);
    is_stuck_ = std::any_of(left.begin(), left.end(), [&](const auto& one) { return one.pid == pid_; });
  }

  [[nodiscard]] bool in_batch_job() const { return static_cast<bool>(options_.time_left); }

  /// Whether anything of the step may live on when its first process has ended: what does is our child by
  /// then.
  static bool has_left_any() {
    const auto left = children();
    return !left || left->size() != 1;
  }

  /// Of the orphans that became our children.
  void reap_ended() const {
    for (const int child : children().value_or(std::vector<int>{}))
      if (child != pid_ && !(stall_ && child == stall_->helper())) ::waitpid(child, nullptr, WNOHANG);
  }

  void watch_for_stall() {
    StallOptions options = options_.stall;
    options.token = options_.token;
    options.rank_program = options_.rank_program;
    stall_.emplace(std::move(options), pid_, start_time_, StallWatch::Clock::now());
    processes_.emplace();
    wait_for_next_look();
  }

  void wait_for_next_look() {
    const auto time = stall_->due() - StallWatch::Clock::now();
    stall_look_.set(std::max(milliseconds(1), std::chrono::ceil<milliseconds>(time)));
  }

  /// What has been asked to stop for another reason has its own limit.
  void look_for_stall() {
    if (end_.asked_to_stop || is_last_call_) return;
    processes_->refresh();
    if (!stall_->look(StallWatch::Clock::now(), *processes_)) return wait_for_next_look();
    end_.stalled = stall_->idle();
    end_within(options_.grace);
  }

  void beat() {
    options_.heartbeat();
    reap_ended();
    heartbeat_.set(options_.heartbeat_interval);
  }

  void look_at_memory() {
    look_.set(look_interval);
    if (!memory_.is_exceeded(pid_)) return;
    exceeded_ = true;
    end_all();
  }

  void hear_requests() {
    if (in_batch_job()) return hear_batch_system();
    if (!stop_.asked()) return;
    end_.asked_to_stop = true;
    pass_on();
  }

  void hear_batch_system() {
    stop_.asked();
    if (stop_.told_to_end() && !end_.asked_to_stop) {
      end_.asked_to_stop = true;
      end_within(is_last_call_ ? options_.grace / 4 : options_.grace);
      if (options_.told_to_end && !end_.near_limit) options_.told_to_end();
    } else if (stop_.time_is_short() && !is_last_call_) {
      hear_time_is_short();
    }
  }

  /// A batch system may say so much too early: what is left is for work until the lead begins.
  void hear_time_is_short() {
    constexpr milliseconds close_enough{1'000};
    const milliseconds left = options_.time_left();
    waits_for_lead_ = options_.lead.count() > 0 && left > options_.lead + close_enough;
    if (waits_for_lead_) return limit_.set(left - options_.lead);
    is_by_limit_ = true;
    end_within(left);
  }

  void end_within(milliseconds time) {
    is_last_call_ = true;
    waits_for_lead_ = false;
    pass_on();
    if (time.count() > 0) limit_.set(time);
  }

  void reach_limit() {
    if (waits_for_lead_) return hear_time_is_short();  // it may have been given more meanwhile
    if (!is_last_call_) {
      is_by_limit_ = true;
      if (options_.lead.count() > 0) return end_within(options_.lead);
    }
    end_.near_limit |= is_by_limit_ && !end_.asked_to_stop;
    end_.killed = true;
    end_all();
  }

  /// Tells the step to stop. Ranks may not have been started yet, and a launcher loses what comes that early:
  /// then it is told again.
  void pass_on() {
    if (options_.rank_program.empty()) return call_command();
    end_.near_limit |= is_by_limit_ && !end_.asked_to_stop;
    if (options_.signal_ranks) {
      if (!options_.signal_ranks(SIGTERM)) again_.set(milliseconds(2'000));
      return;
    }
    bool reached = false;
    for (const auto& member : find_tree(pid_, start_time_, options_.token))
      if (member.program == options_.rank_program)
        reached |= signal_process(member.pid, member.start_time, SIGTERM);
    if (reached) return;
    signal_process(pid_, start_time_, SIGTERM);
    again_.set(milliseconds(500));
  }

  /// One that does not listen has not been told of its limit, and may listen later.
  void call_command() {
    constexpr int patient_calls = 4;
    StopCall call{options_.signal == 0 ? SIGTERM : options_.signal};
    call.is_order = !is_by_limit_ || end_.asked_to_stop;
    call.spares_launchers = calls_++ < patient_calls;
    call.signal_ranks = options_.signal_ranks;
    if (!ask_command_to_stop(call, pid_, start_time_, options_.token))
      return again_.set(milliseconds(call.is_order ? 500 : 2'000));
    end_.near_limit |= is_by_limit_ && !end_.asked_to_stop;
  }

  const StepOptions& options_;
  StopRequests& stop_;
  StepEnd end_;
  int pid_ = 0;
  std::uint64_t start_time_ = 0;
  FileDescriptor process_;
  bool waits_for_lead_ = false, is_by_limit_ = false;
  int calls_ = 0;              ///< to a command
  bool is_last_call_ = false;  ///< whatever still runs when the limit is reached is ended
  MemoryWatch memory_{options_.mem};
  bool exceeded_ = false;
  bool is_stuck_ = false;  ///< its first process cannot be ended
  std::optional<StallWatch> stall_;
  std::optional<ProcessTable> processes_;
  Timer limit_, again_, heartbeat_, look_, stall_look_;
};

}  // namespace

milliseconds lead_of(const Stage& stage, milliseconds limit) {
  const auto most = runs_command(stage) ? most_notice_of_a_command : most_notice_of_a_task;
  return notice_of_end<milliseconds>(limit, stage.signal_lead, most);
}

StepEnd run_step(const StepOptions& options, StopRequests& stop,
                 const std::function<void(int pid, std::uint64_t start_time)>& started) {
  return Step(options, stop).run(started);
}

}  // namespace kernmill::exec
