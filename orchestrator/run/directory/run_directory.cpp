#include "kernmill/run/directory/run_directory.hpp"

#include <algorithm>
#include <cctype>
#include <chrono>
#include <stdexcept>
#include <system_error>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kernmill/base/timestamp.hpp"
#include "kernmill/os/durable_file.hpp"

namespace kernmill {
namespace {

namespace fs = std::filesystem;

/// `<workflow>-<YYYYMMDD-HHMMSS>-<4 hex>` without the workflow: it sorts by time. Times are UTC, and the four
/// digits the fraction of the second, so that runs of one second are in order too.
constexpr std::size_t suffix_length = 21;

std::string suffix_at(std::chrono::system_clock::time_point now) {
  using namespace std::chrono;
  const auto second = floor<seconds>(now);
  const auto fraction = duration_cast<nanoseconds>(now - second).count() * 65536 / 1'000'000'000;
  return fmt::format("-{}-{:04x}", utc_text(now, "%Y%m%d-%H%M%S"), fraction);
}

bool is_run_name(const std::string& name) {
  if (name.size() <= suffix_length) return false;
  const std::string_view suffix = std::string_view(name).substr(name.size() - suffix_length);
  constexpr std::string_view shape = "-dddddddd-dddddd-xxxx";
  for (std::size_t i = 0; i < suffix.size(); ++i) {
    const auto c = static_cast<unsigned char>(suffix[i]);
    if (shape[i] == 'd' ? !std::isdigit(c) : shape[i] == 'x' ? !std::isxdigit(c) : c != '-') return false;
  }
  return true;
}

std::string when(const RunDirectory& run) {
  const std::string name = run.name();
  return name.substr(name.size() - suffix_length);
}

bool is_run(const fs::path& path) {
  std::error_code none;
  return fs::is_directory(path / "journal", none);
}

/// A workflow's name as a file name that needs no quoting.
std::string file_name(const std::string& workflow) {
  std::string name = workflow;
  for (char& c : name)
    if (!std::isalnum(static_cast<unsigned char>(c)) && c != '_' && c != '-' && c != '.') c = '-';
  if (name.empty() || name.front() == '.' || name.front() == '-') name.insert(0, "run");
  return name;
}

/// A directory of runs is the user's alone when it is new; one that is there is opened to the group, if need
/// be.
void make_root(const fs::path& root, bool share_group) {
  std::error_code error;
  if (root.has_parent_path()) fs::create_directories(root.parent_path(), error);
  if (error) throw std::system_error(error, "cannot make the directory of runs " + root.string());
  make_directory(root, share_group ? 0750 : 0700);
  if (share_group)
    fs::permissions(root, fs::perms::group_read | fs::perms::group_exec, fs::perm_options::add, error);
}

/// Of the runs of that user, the newest.
const RunDirectory* last_of(const std::vector<RunDirectory>& runs, uid_t user) {
  const auto found = std::find_if(runs.rbegin(), runs.rend(), [&](const RunDirectory& run) {
    struct stat status {};
    return ::stat(run.root().c_str(), &status) == 0 && status.st_uid == user;
  });
  return found == runs.rend() ? nullptr : &*found;
}

std::string listed(const std::vector<RunDirectory>& runs) {
  constexpr std::size_t shown = 10;
  std::string text;
  const std::size_t first = runs.size() > shown ? runs.size() - shown : 0;
  if (first > 0) text += fmt::format("\n  ({} older ones)", first);
  for (std::size_t i = first; i < runs.size(); ++i) text += "\n  " + runs[i].name();
  return text;
}

}  // namespace

fs::path RunDirectory::later_plan(unsigned number) const {
  return root_ / fmt::format("plan-{}.json", number);
}

fs::path RunDirectory::instance(const std::string& stage, unsigned index) const {
  constexpr unsigned most = 1000;
  const fs::path directory = root_ / "stages" / stage;
  if (index < most) return directory / std::to_string(index);
  const unsigned first = index / most * most;
  return directory / fmt::format("{}-{}", first, first + most - 1) / std::to_string(index);
}

fs::path RunDirectory::attempt(const std::string& stage, unsigned index, unsigned attempt) const {
  return instance(stage, index) / ("attempt-" + std::to_string(attempt));
}

fs::path RunDirectory::checkpoints(const std::string& stage, unsigned index) const {
  return instance(stage, index) / "checkpoints";
}

fs::path RunDirectory::slot(const std::string& stage, const std::string& name) const {
  return root_ / "stages" / stage / "slots" / name;
}

RunDirectory create_run_directory(const fs::path& root, const std::string& workflow, bool share_group,
                                  const std::function<void(const RunDirectory&)>& before_it_shows) {
  const mode_t mode = share_group ? 0750 : 0700;
  make_root(root, share_group);
  const fs::path base = fs::canonical(root);
  fs::path path;
  do {
    path = base / (file_name(workflow) + suffix_at(std::chrono::system_clock::now()));
  } while (!make_directory(path, mode));
  RunDirectory run(path);
  if (before_it_shows) before_it_shows(run);
  make_directory(run.journal(), mode);
  sync_directory(path);
  sync_directory(base);
  return run;
}

std::vector<RunDirectory> list_runs(const fs::path& root) {
  std::vector<RunDirectory> runs;
  std::error_code error;
  for (fs::directory_iterator entry(root, error), end; !error && entry != end; entry.increment(error))
    if (is_run_name(entry->path().filename().string()) && is_run(entry->path()))
      runs.emplace_back(fs::canonical(entry->path()));
  if (error && error != std::errc::no_such_file_or_directory)
    throw std::system_error(error, "cannot list the runs in " + root.string());
  std::sort(runs.begin(), runs.end(), made_before);
  return runs;
}

bool made_before(const RunDirectory& a, const RunDirectory& b) {
  return std::pair(when(a), a.name()) < std::pair(when(b), b.name());
}

RunDirectory select_run(const fs::path& root, const std::string& selector, uid_t user) {
  if (selector.find('/') != std::string::npos || selector == "." || selector == "..") {
    if (is_run(selector)) return RunDirectory(fs::canonical(selector));
    throw std::runtime_error(fmt::format(
        "{} is not a run directory: it has no journal; give the path that 'kernmill run' printed", selector));
  }
  const std::vector<RunDirectory> runs = list_runs(root);
  if (runs.empty())
    throw std::runtime_error(fmt::format(
        "there are no runs in {}; start one with 'kernmill run', or say where they are with --runs DIR",
        root.string()));
  if (selector == "last") {
    if (const RunDirectory* last = last_of(runs, user)) return *last;
    throw std::runtime_error(
        fmt::format("'last' is a run of your own, and all in {} are of others; say which:{}", root.string(),
                    listed(runs)));
  }
  std::vector<RunDirectory> fitting;
  for (const auto& run : runs) {
    if (run.name() == selector) return run;
    if (!selector.empty() && run.name().starts_with(selector)) fitting.push_back(run);
  }
  if (fitting.size() == 1) return fitting.front();
  if (fitting.empty())
    throw std::runtime_error(
        fmt::format("no run in {} is called '{}'; there are:{}", root.string(), selector, listed(runs)));
  throw std::runtime_error(fmt::format("'{}' is the beginning of several runs; say which, or 'last':{}",
                                       selector, listed(fitting)));
}

std::string checkpoint_mark(const fs::path& checkpoints) {
  constexpr std::size_t most = 10'000;
  std::vector<std::string> marks;
  std::error_code none, ignored;
  for (fs::recursive_directory_iterator entry(checkpoints, none), end;
       !none && entry != end && marks.size() < most; entry.increment(none)) {
    const bool is_file = entry->is_regular_file(ignored);
    if (!is_file && entry->is_directory(ignored)) continue;
    marks.push_back(fmt::format("{} {} {}", entry->path().string(), is_file ? entry->file_size(ignored) : 0,
                                entry->last_write_time(ignored).time_since_epoch().count()));
  }
  std::sort(marks.begin(), marks.end());
  return fmt::format("{}", fmt::join(marks, "\n"));
}

}  // namespace kernmill
