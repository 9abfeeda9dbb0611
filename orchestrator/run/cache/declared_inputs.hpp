#pragma once
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "kernmill/plan/plan.hpp"
#include "kernmill/run/cache/digest.hpp"
#include "kernmill/run/directory/run_directory.hpp"
#include "kernmill/run/journal/run_view.hpp"

namespace kernmill {

/// Whether files that were there before are among its inputs.
bool reads_files(const Stage& stage);

/// What tells a file that stages declare to read from what it was: small ones by content, large ones by size
/// and time of modification.
struct InputMark {
  std::uint64_t bytes = 0;
  std::int64_t modified = 0;  ///< ns since 1970
  std::string sha256;         ///< of a small one
  /// The content, as far as it is known: what two marks of the same content have in common.
  [[nodiscard]] std::string text() const;
  friend bool operator==(const InputMark&, const InputMark&) = default;
};
/// By absolute path: of a file in the copy of the code, that of the file it was copied from. A file that is
/// not there has none.
using InputMarks = std::map<std::string, InputMark>;

/// Notes in a new run what the files are that its stages declare to read. What is noted already stays.
void note_inputs(const RunDirectory& run, const Plan& plan, DigestStore& digests);
/// Forgets what was noted of a stage that reads something else now.
void forget_inputs(const RunDirectory& run, const std::string& stage);
/// Those of an instance, as they were noted; none where nobody noted them.
InputMarks noted_inputs(const RunDirectory& run, const Plan& plan, InstanceId id);

/// Files that an instance finds now other than they were noted, and what it finds ("" is: nothing).
std::vector<std::pair<std::string, std::string>> other_inputs(const RunDirectory& run, const Plan& plan,
                                                              InstanceId id, DigestStore& digests);

/// A file that has changed since instances that have finished read it.
struct ChangedInput {
  std::string path;  ///< absolute
  std::vector<InstanceId> readers;
};
std::vector<ChangedInput> inputs_changed_behind(const RunDirectory& run, const Plan& plan,
                                                const RunView& view, DigestStore& digests);

/// A path as it is in the workflow, where it lies beside it or in the copy of its code.
std::string display_path(const std::string& path, const Workflow& workflow);

/// "fit[0], fit[3] and 5 more"
std::string labels_text(const Plan& plan, const std::vector<InstanceId>& ids);

}  // namespace kernmill
