#include "kernmill/exec/stall/stacks.hpp"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <sstream>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include "kernmill/base/timestamp.hpp"
#include "kernmill/exec/stall/helper.hpp"

namespace kernmill::exec {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr std::size_t most_processes = 48, most_threads = 64, most_of_one = 64 * 1024,
                      most_bytes = 1024 * 1024;
constexpr milliseconds most_for_one{8'000};
constexpr const char *header = "== ", *frames_line = "   in ";

std::string first_line_of(const fs::path& file) {
  std::ifstream stream(file);
  std::string line;
  std::getline(stream, line);
  return line == "0" ? "" : line;
}

/// The beginning of a small file of the kernel.
std::string text_of(const fs::path& file, std::size_t most = 4096) {
  std::ifstream stream(file);
  std::string text(most, '\0');
  stream.read(text.data(), static_cast<std::streamsize>(most));
  text.resize(static_cast<std::size_t>(stream.gcount()));
  return text;
}

fs::path proc(int pid) {
  return fs::path("/proc") / std::to_string(pid);
}

/// The threads of a process, and what the kernel says each of them does.
std::string threads_of(int pid) {
  std::string text;
  std::size_t count = 0;
  std::error_code gone;
  for (const auto& thread : fs::directory_iterator(proc(pid) / "task", gone)) {
    if (++count > most_threads) return text + "   ...\n";
    std::string state = "?";
    std::ifstream lines(thread.path() / "status");
    for (std::string line; std::getline(lines, line);)
      if (line.starts_with("State:")) state = line.substr(line.find_first_not_of(" \t", 6));
    const std::string waits_in = first_line_of(thread.path() / "wchan");
    text += fmt::format("   thread {} {}: {}{}{}\n", thread.path().filename().string(),
                        first_line_of(thread.path() / "comm"), state, waits_in.empty() ? "" : ", waits in ",
                        waits_in);
    if (const std::string stack = text_of(thread.path() / "stack"); !stack.empty())
      text += fmt::format("   in the kernel:\n{}", stack);
  }
  if (const std::string call = first_line_of(proc(pid) / "syscall"); !call.empty())
    text += fmt::format("   system call: {}\n", call);
  return text;
}

std::optional<fs::path> found_in_path(const std::string& program) {
  const char* path = std::getenv("PATH");
  std::istringstream folders(path == nullptr ? "/usr/local/bin:/usr/bin:/bin" : path);
  for (std::string folder; std::getline(folders, folder, ':');)
    if (const fs::path file = fs::path(folder) / program; ::access(file.c_str(), X_OK) == 0) return file;
  return {};
}

/// The command that prints the stacks of a process; {} where there is no such program.
std::vector<std::string> debugger(int pid) {
  if (const auto program = found_in_path("eu-stack")) return {program->string(), "-p", std::to_string(pid)};
  if (const auto program = found_in_path("gdb"))
    return {program->string(),
            "--batch",
            "-nx",
            "-iex",
            "set auto-load off",
            "-p",
            std::to_string(pid),
            "-ex",
            "bt 60",  // of the first thread
            "-ex",
            "thread apply all bt 60"};
  return {};
}

/// What a program prints in so much time.
std::string output_of(const std::vector<std::string>& argv, const fs::path& scratch, milliseconds most) {
  SpawnOptions options;
  options.argv = argv;
  const char* path = std::getenv("PATH");
  options.env = {{"PATH", path == nullptr ? "/usr/local/bin:/usr/bin:/bin" : path}, {"LC_ALL", "C"}};
  options.out = options.err = scratch.string();
  // A debugger that is killed lets go of what it looked at.
  const bool in_time = ends_well_within(options, most);
  std::string text = text_of(scratch, most_of_one);
  std::error_code ignored;
  fs::remove(scratch, ignored);
  return in_time ? text : text + fmt::format("\n({} gave up)\n", argv.front());
}

constexpr std::string_view launchers[] = {"srun",   "mpiexec", "mpiexec.hydra", "hydra_pmi_proxy",
                                          "mpirun", "orted",   "prted"};

/// Those whose stacks say most come first: ranks, then whoever waits for no child of its own; launchers last.
void sort_by_interest(std::vector<TreeMember>& processes, const std::string& rank_program) {
  const std::vector<TreeMember> all = processes;
  const auto rank = [&](const TreeMember& process) {
    if (!rank_program.empty() && process.program == rank_program) return 0;
    if (std::find(std::begin(launchers), std::end(launchers), process.program) != std::end(launchers))
      return 3;
    const bool has_child = std::any_of(all.begin(), all.end(),
                                       [&](const TreeMember& other) { return other.parent == process.pid; });
    return has_child ? 2 : 1;
  };
  std::stable_sort(processes.begin(), processes.end(),
                   [&](const TreeMember& a, const TreeMember& b) { return rank(a) < rank(b); });
}

/// What a debugger says, and the line that sums it up.
std::string stack_of(const TreeMember& process, const fs::path& scratch, milliseconds left) {
  const auto command = debugger(process.pid);
  std::string output, sum;
  if (left.count() > 0 && !command.empty())
    output = output_of(command, scratch, std::min(left, most_for_one));
  const auto functions = functions_in(output);
  if (!functions.empty()) {
    sum = fmt::format("{}", fmt::join(functions, " < "));
  } else {
    const std::string waits_in = first_line_of(proc(process.pid) / "wchan");
    sum = waits_in.empty() ? "" : fmt::format("the kernel's {}", waits_in);
  }
  return (sum.empty() ? "" : frames_line + sum + "\n") + output;
}

std::string_view without_address(std::string_view frame) {
  frame.remove_prefix(std::min(frame.find_first_not_of(' '), frame.size()));
  if (!frame.starts_with("0x")) return frame;
  frame.remove_prefix(std::min(frame.find(' '), frame.size()));
  frame.remove_prefix(std::min(frame.find_first_not_of(' '), frame.size()));
  if (frame.starts_with("in ")) frame.remove_prefix(3);
  return frame;
}

}  // namespace

std::vector<std::string> functions_in(const std::string& output, std::size_t most) {
  std::vector<std::string> names;
  std::size_t seen = 0;
  std::istringstream lines(output);
  for (std::string line; std::getline(lines, line) && names.size() < most;) {
    if (line.size() < 2 || line[0] != '#' || std::isdigit(static_cast<unsigned char>(line[1])) == 0) continue;
    const auto number = static_cast<std::size_t>(std::atoi(line.c_str() + 1));
    if (number < seen) break;  // another thread
    std::string_view frame = std::string_view(line).substr(1);
    frame.remove_prefix(std::min(frame.find_first_not_of("0123456789"), frame.size()));
    frame = without_address(frame);
    const std::string name(frame.substr(0, frame.find_first_of(" (")));
    ++seen;
    if (!name.empty() && name != "??") names.push_back(name);
  }
  return names;
}

void take_stacks(std::ostream& out, const fs::path& scratch, std::vector<TreeMember> processes,
                 const std::string& rank_program, milliseconds most) {
  sort_by_interest(processes, rank_program);
  const Clock::time_point end = Clock::now() + most;
  out << fmt::format("{}, {}\n", host_name(), utc_timestamp());
  std::size_t count = 0, bytes = 0;
  for (const TreeMember& process : processes) {
    if (++count > most_processes || bytes > most_bytes) {
      out << fmt::format("... and {} more\n", processes.size() - count + 1);
      break;
    }
    const auto left = std::chrono::duration_cast<milliseconds>(end - Clock::now());
    const std::string threads = threads_of(process.pid);  // before a debugger stops and wakes them
    const std::string text = fmt::format("{}{} (pid {})\n", header, process.program, process.pid) +
                             stack_of(process, scratch, left) + threads;
    out << text << std::flush;
    bytes += text.size();
  }
}

std::vector<std::string> innermost_frames(const fs::path& file, std::size_t processes) {
  std::vector<std::string> result;
  std::ifstream lines(file);
  std::string who;
  for (std::string line; std::getline(lines, line) && result.size() < processes;) {
    if (line.starts_with(header))
      who = line.substr(std::string_view(header).size());
    else if (line.starts_with(frames_line) && !who.empty())
      result.push_back(std::exchange(who, "") + ": " + line.substr(std::string_view(frames_line).size()));
  }
  return result;
}

}  // namespace kernmill::exec
