#include "kernmill/run/code/code_snapshot.hpp"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kernmill/base/file_pattern.hpp"
#include "kernmill/base/sha256.hpp"
#include "kernmill/os/durable_file.hpp"
#include "kernmill/os/file_descriptor.hpp"
#include "kernmill/plan/plan.hpp"
#include "kernmill/run/code/git.hpp"

namespace kernmill {
namespace {

namespace fs = std::filesystem;
constexpr std::size_t most_files = 200'000;
constexpr std::uintmax_t most_bytes = std::uintmax_t{2} << 30;
constexpr std::uint32_t most_looked_at = 10'000;  // instances whose inputs are looked for in the copy

/// What no code lies in: hidden folders, what Python makes of its own, and runs.
bool is_passed_over(const fs::path& folder) {
  const std::string name = folder.filename().string();
  std::error_code none;
  return name.starts_with('.') || name == "__pycache__" || fs::is_directory(folder / "journal", none);
}

void add_below(const fs::path& root, const fs::path& folder, std::vector<std::string>& files) {
  fs::recursive_directory_iterator entry(folder), end;
  for (; entry != end && files.size() <= most_files; ++entry) {
    const bool is_folder = entry->is_directory() && !entry->is_symlink();
    if (is_folder && is_passed_over(entry->path()))
      entry.disable_recursion_pending();
    else if (!is_folder && (entry->is_regular_file() || entry->is_symlink()))
      files.push_back(entry->path().lexically_relative(root).string());
  }
}

std::vector<std::string> named_files(const Workflow& workflow) {
  const fs::path root = workflow.base_directory;
  std::vector<std::string> files;
  for (const std::string& path : workflow.snapshot.paths) {
    const fs::path named = (root / path).lexically_normal();
    if (fs::is_directory(named))
      add_below(root, named, files);
    else
      files.push_back(named.lexically_relative(root).string());
  }
  std::sort(files.begin(), files.end());
  files.erase(std::unique(files.begin(), files.end()), files.end());
  return files;
}

/// The files of the snapshot, relative to its root, which is filled in.
std::vector<std::string> code_files(Workflow& workflow) {
  Snapshot& code = workflow.snapshot;
  if (!code.git) {
    code.root = workflow.base_directory;
    return named_files(workflow);
  }
  GitTree tree = git_tree(workflow.base_directory);
  code.root = tree.root;
  code.commit = tree.commit;
  code.dirty = tree.dirty;
  return std::move(tree.files);
}

void check_size(const std::vector<std::string>& files, const std::string& root) {
  std::uintmax_t bytes = 0;
  for (const std::string& file : files) {
    struct stat status {};
    if (::lstat((fs::path(root) / file).c_str(), &status) == 0)
      bytes += static_cast<std::uintmax_t>(status.st_size);
  }
  if (files.size() > most_files || bytes > most_bytes)
    throw NoCode(fmt::format("the snapshot would have {} files of {} MiB in all, and code has {} files and "
                             "{} MiB at most",
                             files.size(), bytes >> 20, most_files, most_bytes >> 20),
                 "name the code alone; data are named under `inputs`, and stay where they are");
}

/// Of names, contents and whether they may be run; the workflow's own file says itself what it changes.
std::string digest_of_code(const std::vector<std::string>& files, const fs::path& root,
                           const fs::path& workflow_file, DigestStore& digests) {
  std::string text;
  for (const std::string& file : files) {
    const fs::path path = root / file;
    if (path == workflow_file) continue;
    struct stat status {};
    if (::lstat(path.c_str(), &status) != 0)
      throw std::system_error(errno, std::generic_category(), "cannot look at " + path.string());
    const bool is_link = S_ISLNK(status.st_mode);
    text += fmt::format("{}\n{} {}\n", file,
                        is_link                           ? "link"
                        : (status.st_mode & S_IXUSR) != 0 ? "run"
                                                          : "-",
                        is_link ? fs::read_symlink(path).string() : digests.sha256(path));
  }
  return sha256(text);
}

/// Shares the blocks of the file where the file system can, and copies it elsewhere. A hard link would
/// change with the file.
void copy_code_file(const fs::path& from, const fs::path& to) {
  if (fs::is_symlink(from)) return fs::copy_symlink(from, to);
  const FileDescriptor source(::open(from.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat status {};
  if (!source || ::fstat(source.get(), &status) != 0)
    throw std::system_error(errno, std::generic_category(), "cannot copy " + from.string());
  const mode_t mode = 0600 | (status.st_mode & S_IXUSR);
  const FileDescriptor copy(::open(to.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode));
  if (!copy) throw std::system_error(errno, std::generic_category(), "cannot make " + to.string());
  if (::ioctl(copy.get(), FICLONE, source.get()) == 0) return;
  fs::copy_file(from, to, fs::copy_options::overwrite_existing);
  ::fchmod(copy.get(), mode);
}

fs::path new_copy_in(const RunDirectory& run) {
  fs::path copy = run.root() / "code";
  for (unsigned number = 2; fs::exists(copy); ++number) copy = run.root() / fmt::format("code-{}", number);
  return copy;
}

void copy_all(const std::vector<std::string>& files, const fs::path& root, const fs::path& copy) {
  make_directories(copy);
  fs::path made;
  for (const std::string& file : files) {
    const fs::path to = copy / file;
    if (to.parent_path() != made) make_directories(made = to.parent_path());
    copy_code_file(root / file, to);
  }
  const FileDescriptor folder(::open(copy.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder || ::syncfs(folder.get()) != 0)
    throw std::system_error(errno, std::generic_category(), "cannot make durable " + copy.string());
}

bool lies_below(const fs::path& path, const fs::path& folder) {
  const fs::path relative = path.lexically_relative(folder);
  return !relative.empty() && *relative.begin() != "..";
}

std::size_t count_of(const fs::path& path) {
  std::error_code none;
  if (!fs::is_directory(path, none)) return files_of_pattern(path).size();
  std::vector<std::string> files;
  add_below(path, path, files);
  return files.size();
}

/// Inputs of a workflow as they lie in the copy of its code.
class InputsInCopy {
 public:
  InputsInCopy(Workflow& workflow, const std::string& earlier_copy) : workflow_(workflow) {
    for (Stage& stage : workflow.stages)
      for (Input& input : stage.inputs)
        if (!earlier_copy.empty() && lies_below(input.path, earlier_copy))
          input.path =
              (fs::path(code().root) / fs::path(input.path).lexically_relative(earlier_copy)).string();
  }

  void take_up() {
    const Plan plan(workflow_);
    for (Stage& stage : workflow_.stages) {
      const std::uint32_t number = plan.stage_number(stage.name);
      for (std::size_t i = 0; i < stage.inputs.size(); ++i) {
        Input& input = stage.inputs[i];
        if (!input.stage.empty() || !lies_below(input.path, code().root)) continue;
        if (all_in_copy(plan, number, i))
          input.path = in_copy(input.path).string();
        else
          link_all(plan, number, i);
      }
    }
  }

 private:
  [[nodiscard]] const Snapshot& code() const { return workflow_.snapshot; }
  [[nodiscard]] fs::path in_copy(const fs::path& path) const {
    return fs::path(code().copy) / path.lexically_relative(code().root);
  }

  [[nodiscard]] static std::uint32_t looked_at(const Plan& plan, std::uint32_t stage, std::size_t input) {
    const bool differ = has_template(plan.stage(stage).inputs[input].path);
    return std::min(differ ? plan.instance_count(stage) : 1, most_looked_at);
  }

  [[nodiscard]] bool all_in_copy(const Plan& plan, std::uint32_t stage, std::size_t input) const {
    for (std::uint32_t index = 0; index < looked_at(plan, stage, input); ++index) {
      const fs::path path = plan.inputs({stage, index})[input].path;
      const std::size_t there = count_of(path);
      if (there == 0 || count_of(in_copy(path)) != there) return false;
    }
    return true;
  }

  /// So that a command finds them by the same relative path.
  void link_all(const Plan& plan, std::uint32_t stage, std::size_t input) const {
    for (std::uint32_t index = 0; index < looked_at(plan, stage, input); ++index) {
      const fs::path path = plan.inputs({stage, index})[input].path;
      std::error_code none;
      if (fs::exists(path, none)) link(path);
      for (const std::string& file : files_of_pattern(path)) link(file);
    }
  }

  void link(const fs::path& path) const {
    std::error_code none;
    const fs::path to = in_copy(path);
    if (fs::exists(fs::symlink_status(to, none))) return;
    make_directories(to.parent_path());
    fs::create_symlink(path, to);
  }

  Workflow& workflow_;
};

}  // namespace

void survey_code(Workflow& workflow, DigestStore& digests, Diagnostics& diagnostics) {
  Snapshot& code = workflow.snapshot;
  if (!code.on()) return;
  try {
    const std::vector<std::string> files = code_files(workflow);
    check_size(files, code.root);
    code.digest = digest_of_code(files, code.root, fs::absolute(workflow.file).lexically_normal(), digests);
  } catch (const NoCode& why) {
    diagnostics.error(code.where, why.what(), why.help);
  } catch (const std::system_error& error) {
    diagnostics.error(code.where, fmt::format("the code cannot be read: {}", error.what()));
  }
}

void take_code(const RunDirectory& run, Workflow& workflow, DigestStore& digests) {
  Snapshot& code = workflow.snapshot;
  if (!code.on()) return;
  const std::string earlier = code.copy;
  const std::vector<std::string> files = code_files(workflow);
  check_size(files, code.root);
  const fs::path copy = new_copy_in(run);
  copy_all(files, code.root, copy);
  const fs::path root = code.root;
  code.copy = copy.string();
  code.directory = (copy / fs::path(workflow.base_directory).lexically_relative(root)).lexically_normal();
  if (code.directory.ends_with('/')) code.directory.pop_back();
  make_directories(code.directory);
  const fs::path own_file = fs::absolute(workflow.file).lexically_normal().lexically_relative(root);
  code.digest = digest_of_code(files, copy, copy / own_file, digests);
  InputsInCopy(workflow, earlier).take_up();
}

Json code_json(const Snapshot& code) {
  return {{"copy", code.copy}, {"commit", code.commit}, {"dirty", code.dirty}, {"digest", code.digest}};
}

std::string code_text(const Snapshot& snapshot) {
  constexpr std::size_t shown = 12;
  if (!snapshot.git) return "code " + snapshot.digest.substr(0, shown);
  const std::string commit =
      snapshot.commit.empty() ? "no commit yet" : "commit " + snapshot.commit.substr(0, shown);
  return commit + (snapshot.dirty ? " with changes" : "");
}

}  // namespace kernmill
