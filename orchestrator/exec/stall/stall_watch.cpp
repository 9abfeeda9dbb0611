#include "kernmill/exec/stall/stall_watch.hpp"

#include <algorithm>
#include <exception>
#include <fstream>
#include <functional>
#include <iterator>
#include <sstream>

#include <fmt/format.h>

#include "kernmill/exec/stall/stacks.hpp"
#include "kernmill/os/file_descriptor.hpp"
#include "kernmill/os/file_mode.hpp"

namespace kernmill::exec {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

constexpr milliseconds helper_interval{100};
/// Stacks of this node; of all nodes, or their signs of life; either after the other.
constexpr milliseconds most_of_stacks{25'000}, most_of_a_helper{40'000}, most_of_all{70'000};

std::string content_of(const fs::path& file) {
  std::ifstream stream(file);
  return {std::istreambuf_iterator<char>(stream), {}};
}

void drop(const fs::path& file) {
  std::error_code ignored;
  fs::remove(file, ignored);
}

/// Of all nodes where there are several and they answer, else of this one.
void take_all_stacks(const StallOptions& options, const std::vector<TreeMember>& processes) {
  FileDescriptor(open_log(options.stacks.c_str())).reset();  // with the permissions of its folder
  std::ofstream out(options.stacks, std::ios::app);
  if (options.others.nodes > 0 && ends_well_within(options.others.stacks, most_of_a_helper)) {
    for (int node = 0; node < options.others.nodes; ++node) {
      const fs::path part = fmt::format("{}.{}", options.stacks.string(), node);
      out << content_of(part);
      drop(part);
    }
    return;
  }
  take_stacks(out, options.stacks.string() + ".part", processes, options.rank_program, most_of_stacks);
}

}  // namespace

std::string to_line(const SignsOfLife& signs) {
  return fmt::format("cpu {} held {} seen {} processes {:x}\n", signs.cpu.count(), signs.is_held ? 1 : 0,
                     signs.is_seen ? 1 : 0, std::hash<std::string>{}(signs.processes));
}

std::optional<SignsOfLife> sum_of_lines(const std::string& lines, int count) {
  SignsOfLife sum;
  sum.is_seen = false;
  std::vector<std::string> processes;
  std::istringstream stream(lines);
  for (std::string line; std::getline(stream, line);) {
    std::istringstream words(line);
    std::string cpu, held, seen, of, which;
    std::int64_t time = 0;
    int is_held = 0, is_seen = 0;
    const bool is_whole =
        words >> cpu >> time >> held >> is_held >> seen >> is_seen >> of >> which && cpu == "cpu";
    if (!is_whole) continue;
    sum.cpu += milliseconds(time);
    sum.is_held = sum.is_held || is_held != 0;
    sum.is_seen = sum.is_seen || is_seen != 0;
    processes.push_back(which);
  }
  if (processes.size() != static_cast<std::size_t>(count)) return {};
  std::sort(processes.begin(), processes.end());
  for (const std::string& which : processes) sum.processes += which + " ";
  return sum;
}

StallWatch::StallWatch(StallOptions options, int pid, std::uint64_t start_time, Clock::time_point now)
    : options_(std::move(options)),
      pid_(pid),
      start_time_(start_time),
      idle_(options_.after, now),
      due_(now + idle_.interval()) {}

std::vector<TreeMember> StallWatch::processes(ProcessTable& table) const {
  return table.tree(pid_, start_time_, options_.token);
}

bool StallWatch::look(Clock::time_point now, ProcessTable& table) {
  switch (phase_) {
    case Phase::watching:
      watch(now, table);
      break;
    case Phase::asking_others:
      hear_others(now, table);
      break;
    case Phase::taking_stacks:
      if (helper_ && helper_->look(now) == Helper::State::running) break;
      helper_.reset();
      phase_ = Phase::over;
      return true;
    case Phase::over:
      break;
  }
  due_ = now + (helper_ ? helper_interval : idle_.interval());
  if (phase_ == Phase::over) due_ = Clock::time_point::max();
  return false;
}

void StallWatch::watch(Clock::time_point now, ProcessTable& table) {
  const auto members = processes(table);
  look_here(now, members);
  if (options_.others.nodes > 0) {
    if (idle_.is_over() || (idle_.is_half_over() && !others_before_)) ask_others(now);
  } else if (idle_.is_over()) {
    take_stacks_of(members, now);
  }
}

void StallWatch::look_here(Clock::time_point now, const std::vector<TreeMember>& processes) {
  SignsOfLife signs = signs_of(processes);
  signs.files = look_of(options_.traces);
  idle_.look(now, std::move(signs));
  if (idle_.idle().count() == 0) others_before_.reset();
}

void StallWatch::ask_others(Clock::time_point now) try {
  SpawnOptions& ask = options_.others.signs;
  // Beside the attempt's folder: in it, it would be a sign of life.
  ask.out = options_.stacks.parent_path().string() + ".signs";
  drop(ask.out);
  helper_.emplace(ask, now + most_of_a_helper);
  phase_ = Phase::asking_others;
} catch (const std::exception&) {  // there is no srun, or no room for another process
  seems_alive();
}

void StallWatch::hear_others(Clock::time_point now, ProcessTable& table) {
  const Helper::State state = helper_->look(now);
  if (state == Helper::State::running) return;
  helper_.reset();
  phase_ = Phase::watching;
  const std::string& file = options_.others.signs.out;
  const auto signs = state == Helper::State::done ? sum_of_lines(content_of(file), options_.others.nodes)
                                                  : std::optional<SignsOfLife>{};
  drop(file);
  if (!signs || signs->is_held || !signs->is_seen) return seems_alive();
  look_here(now, processes(table));
  if (!others_before_) {
    others_before_ = signs;
    if (idle_.is_over()) idle_.restart();  // the first answer came too late to be compared
    return;
  }
  const bool worked = signs->processes != others_before_->processes || signs->cpu < others_before_->cpu ||
                      signs->cpu - others_before_->cpu > options_.others.nodes * idle_.tolerance();
  if (worked) return seems_alive();
  if (idle_.is_over()) take_stacks_of(processes(table), now);
}

void StallWatch::seems_alive() {
  others_before_.reset();
  idle_.restart();
}

void StallWatch::take_stacks_of(const std::vector<TreeMember>& processes, Clock::time_point now) {
  phase_ = Phase::taking_stacks;
  try {
    helper_.emplace([this, &processes] { take_all_stacks(options_, processes); }, now + most_of_all);
  } catch (const std::exception&) {  // it hangs all the same
  }
}

}  // namespace kernmill::exec
