#include "kernmill/cli/doctor/doctor_io.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <system_error>

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kernmill/base/counted.hpp"
#include "kernmill/base/exit_status.hpp"
#include "kernmill/base/last_lines.hpp"
#include "kernmill/cli/doctor/doctor_checks.hpp"
#include "kernmill/cli/doctor/io_report.hpp"
#include "kernmill/cli/doctor/site_file.hpp"
#include "kernmill/cli/runs/load_workflow.hpp"
#include "kernmill/cli/runs/programs.hpp"
#include "kernmill/exec/job/launcher.hpp"
#include "kernmill/exec/job/srun.hpp"
#include "kernmill/os/durable_file.hpp"
#include "kernmill/os/process.hpp"
#include "kernmill/os/stop_requests.hpp"
#include "kernmill/report/quantity.hpp"
#include "kernmill/workflow/text/unicode.hpp"
#include "kernmill/workflow/value/json_text.hpp"
#include "kernmill/workflow/value/units.hpp"

namespace fs = std::filesystem;

namespace kernmill::cli::doctor {
namespace {

constexpr std::uint64_t mebibyte = std::uint64_t{1} << 20U;
constexpr std::string_view prefix = ".kernmill-io-";

/// A folder for the files of a measurement, locked as long as it is used; gone with the object.
class Scratch {
 public:
  explicit Scratch(const fs::path& directory) : path_((directory / prefix).string() + "XXXXXX") {
    remove_left_ones(directory);
    if (::mkdtemp(path_.data()) == nullptr)
      throw UsageError(fmt::format("cannot write in {}: {}", directory.string(), std::strerror(errno)),
                       "name a directory in which runs would keep their files");
    lock_ = FileDescriptor(::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (lock_) ::flock(lock_.get(), LOCK_EX | LOCK_NB);
  }
  ~Scratch() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  [[nodiscard]] fs::path path() const { return path_; }

 private:
  /// Of measurements that were killed. Where directories cannot be locked, they stay.
  static void remove_left_ones(const fs::path& directory) {
    std::error_code none;
    for (const auto& entry : fs::directory_iterator(directory, none)) {
      if (!entry.path().filename().string().starts_with(prefix)) continue;
      const FileDescriptor left(
          ::open(entry.path().c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
      if (left && ::flock(left.get(), LOCK_EX | LOCK_NB) == 0) fs::remove_all(entry.path(), none);
    }
  }

  std::string path_;
  FileDescriptor lock_;
};

struct Question {
  fs::path directory;
  std::uint64_t bytes = 256 * mebibyte;
  Resources resources;
};

bool is_in_job(const exec::Environment& own) {
  return !exec::value_of(own, "SLURM_JOB_ID").empty();
}

Question question_of(const Arguments& arguments, const exec::Environment& own) {
  Question question;
  question.directory = fs::absolute(arguments.text("io")).lexically_normal();
  if (arguments.has("size")) {
    const auto size = parse_memory(arguments.text("size"));
    if (!size || *size < mebibyte)
      throw UsageError(
          fmt::format("--size takes an amount such as 256M or 4G, not '{}'", arguments.text("size")),
          "1M is the least");
    question.bytes = *size;
  }
  const int of_job = is_in_job(own) ? exec::number_of(own, "SLURM_NTASKS", 0) : 0;
  question.resources.ntasks = arguments.number("ranks").value_or(of_job > 0 ? of_job : 2);
  if (question.resources.ntasks < 1) throw UsageError("--ranks takes a number from 1 on");
  return question;
}

void check_room(const Question& question) {
  std::error_code none;
  if (!fs::is_directory(question.directory, none))
    throw UsageError(fmt::format("{} is no directory", question.directory.string()),
                     "name one on the file system that runs use: kernmill doctor --io /scratch/me");
  struct statvfs space {};
  if (::statvfs(question.directory.c_str(), &space) != 0)
    throw UsageError(fmt::format("cannot look at {}: {}", question.directory.string(), std::strerror(errno)));
  const std::uint64_t free = std::uint64_t{space.f_bavail} * space.f_frsize;
  const std::uint64_t needed = question.bytes + question.bytes / 8 + 16 * mebibyte;
  if (free < needed)
    throw UsageError(fmt::format("{} has no room: measuring takes {}, and {} are free",
                                 question.directory.string(), bytes_text(needed), bytes_text(free)),
                     "make room, or measure with less: --size 64M");
}

/// The words that start ranks, as those of tasks are started, and what they find in their environment.
struct Launch {
  std::vector<std::string> words;
  exec::Environment environment;
};

Launch launch_of(const Resources& resources, const exec::Environment& own) {
  const std::string named = exec::value_of(own, "KERNMILL_LAUNCHER_TEMPLATE");
  if (named.empty() && is_in_job(own))
    return {exec::srun_words(resources, exec::batch_place(own), ""), exec::srun_environment(own, resources)};
  const bool keeps_job = is_in_job(own) && named.find("srun") != std::string::npos;
  return {exec::launch_words(named.empty() ? "mpiexec -n {ntasks}" : named, resources),
          keeps_job ? exec::srun_environment(own, resources) : exec::step_environment(own, resources)};
}

/// Waits for the end of the program, or for a request to stop, which ends it. Nothing: it was stopped.
std::optional<int> end_of(int pid, exec::StopRequests& stop) {
  const std::uint64_t start = start_time_of(pid);
  const FileDescriptor handle(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  std::array<pollfd, 2> ready{pollfd{handle.get(), POLLIN, 0}, pollfd{stop.fd(), POLLIN, 0}};
  while (::poll(ready.data(), ready.size(), -1) < 0 && errno == EINTR) {
  }
  if (!stop.asked()) return reap(pid);
  // srun and mpiexec end their ranks on other nodes when they are asked to; killed, they could not.
  constexpr int patience = 5'000;  // milliseconds
  signal_tree(pid, start, "", SIGTERM);
  ::poll(ready.data(), 1, patience);
  end_tree(pid, start, "");
  reap(pid);
  return {};
}

struct Measured {
  bool stopped = false;
  std::string error;  ///< why there is nothing; empty: there is
  Json json;
};

std::string last_words(const fs::path& log) {
  constexpr std::size_t most = 8;
  std::string text;
  for (const std::string& line : last_lines(log, most)) {
    constexpr std::string_view error = "error: ";
    if (line.starts_with(error)) return line.substr(error.size());
    text += (text.empty() ? "" : "\n") + line;
  }
  return text.empty() ? "it said nothing" : text;
}

Measured measure(const Question& question, const Launch& launch, exec::StopRequests& stop) {
  const Scratch scratch(question.directory);
  const fs::path output = scratch.path() / "measured.json", log = scratch.path() / "log",
                 files = scratch.path() / "files";
  make_directory(files, 0700);
  SpawnOptions program{.argv = launch.words,
                       .env = launch.environment,
                       .work_dir = {},
                       .out = log.string(),
                       .err = log.string()};
  for (const std::string& word :
       {find_programs().storage.string(), std::string("measure"), files.string(), std::string("--output"),
        output.string(), std::string("--bytes"), std::to_string(question.bytes)})
    program.argv.push_back(word);
  Measured measured;
  try {
    const auto status = end_of(spawn(program), stop);
    measured.stopped = !status.has_value();
    std::error_code none;
    if (status && fs::exists(output, none))
      measured.json = json_or_nothing(read_file(output));
    else if (status)
      measured.error = fmt::format("{} (exit status {})", last_words(log), *status);
  } catch (const std::runtime_error& error) {
    measured.error = error.what();
  }
  if (!measured.stopped && measured.error.empty() && !measured.json.is_object())
    measured.error = "what it wrote is no JSON";
  return measured;
}

void show(const Json& json, const Paint& paint) {
  fmt::print("{}: {}, {}, {}, {} ({}), median of {} rounds\n\n{}\n",
             printable_line(json.at("directory").get<std::string>()),
             json.at("file_system").get<std::string>(),
             counted(json.at("nodes").get<std::uint64_t>(), "node"),
             counted(json.at("ranks").get<std::uint64_t>(), "rank"),
             bytes_text(json.at("bytes").get<std::uint64_t>()), json.at("launcher").get<std::string>(),
             json.at("rounds").get<int>(), io_table(json, paint));
  fmt::print(
      "behind each: how fast it is beside raw POSIX, the same bytes by the same ranks\n\n"
      "recommended: {}: {}\n",
      paint(Color::bold, json["recommended"]["transport"].get<std::string>()),
      json["recommended"]["why"].get<std::string>());
  const std::string transport = json["recommended"]["transport"].get<std::string>();
  if (const auto written = json.find("site_file"); written != json.end())
    fmt::print("{} has it now: {}\n", printable_line(written->at("file").get<std::string>()),
               written->at("line").get<std::string>());
  else if (transport != "auto")
    fmt::print("to ask for it everywhere: --write-site, or in {}: {}\n", site_file().string(),
               transport_line(transport));
}

}  // namespace

void add_io_options(boost::program_options::options_description& options) {
  add_text(options, "io", "DIR", "measure how fast datasets are written and read in DIR, by both transports");
  add_number(options, "ranks", "N", "with --io: how many ranks do (default 2, in a job of Slurm all of its)");
  add_text(options, "size", "SIZE", "with --io: how much they write and read (default 256M)");
  add_flag(options, "write-site", "with --io: put what is recommended into the site file");
}

int measure_io(const Arguments& arguments) {
  const exec::Environment own = exec::own_environment();
  const Question question = question_of(arguments, own);
  check_room(question);
  const Launch launch = launch_of(question.resources, own);
  const std::string words = fmt::format("{}", fmt::join(launch.words, " "));
  fmt::print(stderr, "measuring with {} ({} at a time, in turn; Ctrl-C ends it)\n", words,
             bytes_text(question.bytes));
  exec::StopRequests stop;
  Measured measured = measure(question, launch, stop);
  if (measured.stopped) {
    fmt::print(stderr, "interrupted; nothing is left in {}\n", question.directory.string());
    return exit_interrupted;
  }
  if (!measured.error.empty()) {
    fmt::print(stderr, "error: {} cannot be measured: {}\n", question.directory.string(),
               printable(measured.error));
    return exit_unavailable;
  }
  Json& json = measured.json;
  json["directory"] = question.directory.string();
  json["launcher"] = words;
  const Recommendation recommended = recommend(json);
  json["recommended"] = {{"transport", recommended.transport}, {"why", recommended.why}};
  std::optional<UsageError> not_written;
  if (arguments.has("write-site")) try {
      json["site_file"] = {{"file", write_transport(site_file(), recommended.transport).string()},
                           {"line", transport_line(recommended.transport)}};
    } catch (const UsageError& error) {
      not_written = error;
    }
  if (arguments.json())
    fmt::print("{}\n", json.dump(2, ' ', false, Json::error_handler_t::replace));
  else
    show(json, arguments.out_paint());
  if (not_written) throw UsageError(*not_written);
  return exit_done;
}

}  // namespace kernmill::cli::doctor
