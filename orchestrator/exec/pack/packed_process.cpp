#include "kernmill/exec/pack/packed_process.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <stdexcept>
#include <system_error>
#include <utility>

#include <sys/syscall.h>
#include <unistd.h>

#include "kernmill/exec/attempt/stop_call.hpp"
#include "kernmill/os/process.hpp"

namespace kernmill::exec {

PackedProcess::~PackedProcess() {
  if (!running()) return;
  try {
    end_all();
    if (!is_stuck_) reap(pid_);
  } catch (const std::exception&) {  // it ends with this process's control group
  }
}

void PackedProcess::start(const PackedProgram& program, StallOptions stall) {
  end_ = {};
  last_call_ = is_stuck_ = is_by_limit_ = false;
  is_order_ = true;
  deadline_.reset();
  stall_.reset();
  rank_program_ = program.rank_program;
  longest_end_ = program.longest_end;
  pid_ = spawn(program.spawn);
  process_ = FileDescriptor(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
  if (!process_) throw std::system_error(errno, std::generic_category(), "cannot watch an instance");
  grace_ = program.lead;
  signal_ = program.signal;
  if (stall.after.count() > 0) {
    stall.rank_program = rank_program_;
    stall_.emplace(std::move(stall), pid_, start_time_of(pid_), Clock::now());
  }
  if (program.limit.count() > 0) deadline_ = Clock::now() + program.limit - grace_;
}

void PackedProcess::check_time(Clock::time_point now) {
  if (!deadline_ || now < *deadline_) return;
  if (last_call_) {
    deadline_.reset();
    end_.killed = true;
    end_.near_limit |= is_by_limit_;
    return end_all();
  }
  is_by_limit_ = last_call_ = true;
  deadline_ = now + grace_;
  pass_on();
}

void PackedProcess::ask_to_stop(std::chrono::milliseconds grace, bool is_order) {
  if (!running()) return;
  const Clock::time_point latest = Clock::now() + grace;
  if (!last_call_ || !deadline_ || latest < *deadline_) deadline_ = latest;
  last_call_ = true;
  const bool is_new = !std::exchange(end_.asked_to_stop, true) || (is_order && !is_order_);
  is_by_limit_ = false;
  is_order_ = is_order;
  if (is_new) pass_on();
}

void PackedProcess::end_for_memory() {
  end_.out_of_memory = true;
  end_all();
}

std::optional<PackedProcess::Clock::time_point> PackedProcess::next_look() const {
  if (!running() || !stall_ || last_call_) return {};
  return stall_->due();
}

void PackedProcess::check_stall(Clock::time_point now, ProcessTable& table, std::chrono::milliseconds grace) {
  if (!stall_->look(now, table)) return;
  end_.stalled = stall_->idle();
  last_call_ = true;
  deadline_ = now + grace;
  pass_on();
}

StepEnd PackedProcess::finish() {
  stall_.reset();
  // The first process is a zombie until it is reaped: nobody else can have its number, or its group's, yet.
  ::kill(-pid_, SIGKILL);
  const ChildEnd end = is_stuck_ ? ChildEnd{128 + SIGKILL, SIGKILL, 0} : wait_for_end(pid_);
  end_.exit_code = end.exit_code;
  end_.signal = end.signal;
  end_.peak_memory = end.peak_memory;
  pid_ = 0;
  is_stuck_ = false;
  process_.reset();
  deadline_.reset();
  return end_;
}

/// A launcher that is told to stop might end its ranks before they have saved anything: they are told alone.
void PackedProcess::pass_on() {
  const std::uint64_t start_time = start_time_of(pid_);
  if (rank_program_.empty()) {
    StopCall call{signal_ == 0 ? SIGTERM : signal_};
    call.is_order = is_order_ && !is_by_limit_;
    if (ask_command_to_stop(call, pid_, start_time, "")) end_.near_limit |= is_by_limit_;
    return;
  }
  end_.near_limit |= is_by_limit_;
  bool reached = false;
  for (const TreeMember& member : find_tree(pid_, start_time, ""))
    if (member.program == rank_program_) reached |= signal_process(member.pid, member.start_time, SIGTERM);
  if (!reached) signal_tree(pid_, start_time, "", SIGTERM);
}

void PackedProcess::end_all() {
  const auto left = end_tree(pid_, start_time_of(pid_), "", longest_end_);
  end_.still_there = still_there_text(left);
  is_stuck_ = std::any_of(left.begin(), left.end(), [&](const auto& one) { return one.pid == pid_; });
}

}  // namespace kernmill::exec
