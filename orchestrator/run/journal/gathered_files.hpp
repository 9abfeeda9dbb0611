#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "kernmill/run/journal/journal.hpp"

namespace kernmill {

/// Gathers the journal files of jobs that have ended into the conductor's own, so that a run of many
/// thousand instances has a handful of files. A file is removed only after its lines are on disk there;
/// whoever is killed in between leaves both, which says nothing twice.
class GatheredFiles {
 public:
  explicit GatheredFiles(JournalWriter& journal) : journal_(journal) {}
  ~GatheredFiles() = default;
  GatheredFiles(const GatheredFiles&) = delete;
  GatheredFiles& operator=(const GatheredFiles&) = delete;
  /// The file, which nobody writes any more, if it is there. It is gathered some time later.
  void add(const std::filesystem::path& file);
  /// Gathers what was added. Throws std::system_error that names a file.
  void flush();

 private:
  JournalWriter& journal_;
  std::vector<std::filesystem::path> files_;
  std::string lines_;
};

/// Gathers the files of all jobs, none of which runs any more.
void gather_ended_jobs(const std::filesystem::path& journal, JournalWriter& into);

}  // namespace kernmill
