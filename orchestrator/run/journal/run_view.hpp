#pragma once
#include <filesystem>
#include <optional>
#include <string>

#include "kernmill/run/journal/journal.hpp"
#include "kernmill/run/journal/plain_commits.hpp"

namespace kernmill {

/// The journal folded for those who look at a run and change nothing: plain commits lie in rows, so that a
/// million of them fit, and what packs were handed is in `record.packs` alone.
struct RunView {
  RunRecord record;  ///< without the instances that lie in rows
  PlainCommits plain;
  /// What is known of an instance; nothing when it has no record.
  [[nodiscard]] std::optional<InstanceRecord> find(const std::string& stage, unsigned index) const;
};

struct ViewOptions {
  /// When a snapshot is believed to stand for a file of the journal.
  enum class Trust {
    times,  ///< the file is the same by its number, size and times; else by its bytes
    bytes,  ///< all bytes that it stands for have the checksum that they had
  };
  Trust trust = Trust::times;
  bool rows = true;  ///< false: of plain commits their counts alone, if the snapshot is all there is to read
};

/// Folds the journal as fold_journal does, and reads of what a snapshot stands for nothing but the snapshot.
/// One that does not fit is not used.
RunView view_journal(const std::filesystem::path& journal, ViewOptions options = {});

/// The same with the rows, and leaves a snapshot for those who come next if the journal is large enough to be
/// worth it. A snapshot that cannot be written is not missed.
RunView view_and_keep(const std::filesystem::path& journal);

/// When it is worth the while to leave a snapshot, of a journal that is not small.
enum class Worth {
  doubled,  ///< the journal has since the last one: for those who append to it, so that it costs them a
            ///< constant
  grown,    ///< for the last who do
};
/// Leaves a snapshot if it is worth it. Throws nothing: it is not missed.
void keep_snapshot(const std::filesystem::path& journal, Worth worth) noexcept;

}  // namespace kernmill
