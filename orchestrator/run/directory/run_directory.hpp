#pragma once
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include <unistd.h>

namespace kernmill {

/// The file of an attempt that says what its program found in its environment.
inline constexpr const char* environment_file = ".environment.json";

/// Where things lie in a run directory (the contract of DESIGN.md, "The run directory"). Pure names: makes
/// nothing.
class RunDirectory {
 public:
  explicit RunDirectory(std::filesystem::path root) : root_(std::move(root)) {}
  [[nodiscard]] const std::filesystem::path& root() const { return root_; }
  [[nodiscard]] std::string name() const { return root_.filename().string(); }
  [[nodiscard]] std::filesystem::path workflow() const { return root_ / "workflow.yaml"; }
  [[nodiscard]] std::filesystem::path plan() const { return root_ / "plan.json"; }
  /// A plan that took its place, when a stage had decided instances of others or the workflow was changed:
  /// `plan-2.json`, `plan-3.json`, ...
  [[nodiscard]] std::filesystem::path later_plan(unsigned number) const;
  [[nodiscard]] std::filesystem::path journal() const { return root_ / "journal"; }
  /// Where jobs note what they have read of the journal, for others.
  [[nodiscard]] std::filesystem::path settled() const { return root_ / "settled"; }
  [[nodiscard]] std::filesystem::path lock() const { return root_ / "conductor.lock"; }
  /// Below `stages/NAME`; those from 1,000 on in folders of 1,000, `1000-1999` and so on, since file systems
  /// do not like directories of many thousand entries.
  [[nodiscard]] std::filesystem::path instance(const std::string& stage, unsigned index) const;
  [[nodiscard]] std::filesystem::path attempt(const std::string& stage, unsigned index,
                                              unsigned attempt) const;
  /// Where the packed instances of a slot leave their logs.
  [[nodiscard]] std::filesystem::path slot(const std::string& stage, const std::string& name) const;
  [[nodiscard]] std::filesystem::path checkpoints(const std::string& stage, unsigned index) const;

 private:
  std::filesystem::path root_;
};

/// Makes `<root>/<workflow>-<YYYYMMDD-HHMMSS>-<4 hex>/` and its journal folder, 0700 (0750 with share_group).
/// `before_it_shows` is called when others cannot find the run yet. Throws std::system_error that names the
/// path.
RunDirectory create_run_directory(const std::filesystem::path& root, const std::string& workflow,
                                  bool share_group,
                                  const std::function<void(const RunDirectory&)>& before_it_shows = {});

/// The run that `selector` means: `last` (the newest of that user's), a run's name, a unique prefix, or a
/// path. Throws std::runtime_error that lists the candidates when none or several fit.
RunDirectory select_run(const std::filesystem::path& root, const std::string& selector,
                        uid_t user = ::geteuid());

/// Every run below `root`, oldest first.
std::vector<RunDirectory> list_runs(const std::filesystem::path& root);

/// By when they were made, then by name: runs of several roots.
bool made_before(const RunDirectory& a, const RunDirectory& b);

/// Something that changes with every new or changed file among these, at any depth (10,000 files at most).
std::string checkpoint_mark(const std::filesystem::path& checkpoints);

}  // namespace kernmill
