#pragma once
#include <chrono>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <sys/types.h>

namespace kernmill::spank {

/// Whose files are written.
struct Owner {
  uid_t user = 0;
  gid_t group = 0;
  std::vector<gid_t> groups;
};

/// What a step writes into a journal, from inside slurmstepd, which is root: each line by a child process
/// that has become the owner, since a folder of a user's may be on a file system that does not trust root, or
/// lead elsewhere, and which keeps none of slurmstepd's descriptors. All lines of a step share one deadline:
/// a file system that does not answer keeps a node no longer than that, however many ranks end there.
class StepJournal {
 public:
  static constexpr std::chrono::milliseconds patience{10'000};
  explicit StepJournal(Owner owner, std::chrono::milliseconds time = patience)
      : owner_(std::move(owner)), left_(time) {}
  ~StepJournal() { reap(); }
  StepJournal(const StepJournal&) = delete;
  StepJournal& operator=(const StepJournal&) = delete;

  /// Appends a line to a regular file of the owner's, which is made if it is not there. A line that cannot be
  /// written whole is taken back. Returns 0, or what errno was: ETIMEDOUT when the file system did not answer
  /// in time, and for each line after that.
  int append(const std::string& file, const std::string& line);
  /// Children that have not ended yet although they were killed: their file system does not answer.
  [[nodiscard]] std::size_t children() const { return children_.size(); }

 private:
  int wait_for(pid_t child);
  void reap();

  Owner owner_;
  std::chrono::milliseconds left_;
  std::vector<pid_t> children_;
};

}  // namespace kernmill::spank
