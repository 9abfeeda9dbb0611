#include "kernmill/run/journal/run_view.hpp"

#include <algorithm>
#include <functional>
#include <map>
#include <stdexcept>
#include <system_error>
#include <vector>

#include "kernmill/run/journal/fold.hpp"
#include "kernmill/run/journal/snapshot.hpp"

namespace kernmill {
namespace {

namespace fs = std::filesystem;
using Trust = ViewOptions::Trust;

/// Below this a journal is read as fast as a snapshot.
constexpr std::uint64_t least_bytes = 256 * 1024;

/// Whether each file begins with what the snapshot stands for.
bool fits(const SnapshotFile& snapshot, const fs::path& journal, Trust trust) {
  return std::all_of(snapshot.covered().begin(), snapshot.covered().end(), [&](const CoveredFile& covered) {
    const auto now = file_identity(journal / covered.name);
    if (!now || now->size < covered.mark.bytes) return false;
    if (trust == Trust::times && *now == covered.as_read) return true;
    auto file = JournalFile::open(journal / covered.name, JournalFile::Missing::may_be);
    return file && file->begins_with(covered.mark.bytes, covered.mark.crc);
  });
}

/// Its rows are damaged.
struct UselessSnapshot {};

/// Folds what a snapshot holds, and then what has come since.
class Reading {
 public:
  enum class Crc { yes, no };
  Reading(const fs::path& journal, Crc crc) : journal_(journal), crc_(crc), fold_(Fold::Keeping::to_look) {}

  void take_snapshot(const ViewOptions& options) {
    snapshot_ = SnapshotFile::open(journal_);
    if (!snapshot_ || !fits(*snapshot_, journal_, options.trust)) return;
    auto state = snapshot_->state();
    if (!state || (options.rows && !snapshot_->add_rows(*state))) return;
    has_rows_ = options.rows;
    fold_ = Fold(std::move(*state));
    for (const CoveredFile& file : snapshot_->covered()) {
      files_[file.name] = file;
      was_covered_ += file.mark.bytes;
    }
  }

  // A conductor gathers the files of jobs into its own and removes them (gathered_files.hpp). Its file is
  // therefore looked for, and read, after those of the jobs: what was gathered before we came to it is there.
  void read_all() {
    read_those([](const std::string& name) { return !is_gathering(name); });
    read_those(is_gathering);
  }

  /// Reads the files that stay, and puts down what they say if it is worth it.
  void keep() {
    read_those(stays(names()));
    if (!has_grown()) return;
    PlainCommits& plain = fold_.state().plain;
    plain.finish();
    for (const auto& [stage, index] : plain.singular()) fold_.spell_out(stage, index);
    plain.finish();
    std::vector<CoveredFile> covered;
    for (const auto& [name, file] : files_) covered.push_back(file);
    write_snapshot(journal_, covered, fold_.state());
  }

  void try_to_keep() {
    try {
      keep();
    } catch (const std::system_error&) {  // no place left, or not ours to write
    }
  }

  RunView view() {
    PlainCommits plain = std::move(fold_.state().plain);
    if (has_rows_) plain.finish();
    return {fold_.finish(), std::move(plain)};
  }

 private:
  using Test = std::function<bool(const std::string&)>;

  [[nodiscard]] std::vector<std::string> names() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(journal_))
      if (std::string name = entry.path().filename().string(); name.ends_with(".jsonl"))
        names.push_back(std::move(name));
    return names;
  }

  /// On one machine a conductor gathers the files of jobs; on a cluster each job keeps its own.
  static Test stays(const std::vector<std::string>& names) {
    const bool on_cluster =
        std::any_of(names.begin(), names.end(), [](const auto& name) { return name.starts_with("submit-"); });
    return [on_cluster](const std::string& name) { return on_cluster || is_gathering(name); };
  }

  void read_those(const Test& wanted) {
    for (const std::string& name : names())
      if (wanted(name)) read(name);
  }

  void read(const std::string& name) {
    CoveredFile& covered = files_[name];
    const auto now = file_identity(journal_ / name);
    // A cluster's run may have thousands of files: those that are read need not be opened.
    if (now && *now == covered.as_read && now->size == covered.mark.bytes) return;
    auto file = open_journal_file(journal_ / name);
    if (!now || !file) return forget(name);
    covered.name = name;
    covered.as_read = *now;
    file->read_lines(
        covered.mark, crc_ == Crc::yes, [this] { need_rows(); },
        [this](const JournalLine& line) { fold_.take(line); });
  }

  /// It was gathered before it could be read.
  void forget(const std::string& name) {
    if (files_[name].mark.bytes == 0) files_.erase(name);
  }

  void need_rows() {
    if (!has_rows_ && !snapshot_->add_rows(fold_.state())) throw UselessSnapshot{};
    has_rows_ = true;
  }

  [[nodiscard]] bool has_grown() const {
    std::uint64_t bytes = 0;
    for (const auto& [name, file] : files_) bytes += file.mark.bytes;
    return bytes >= least_bytes && bytes > was_covered_;
  }

  const fs::path& journal_;
  Crc crc_;
  Fold fold_;
  std::optional<SnapshotFile> snapshot_;
  bool has_rows_ = true;
  std::map<std::string, CoveredFile> files_;  ///< by name: what has been read, or need not be
  std::uint64_t was_covered_ = 0;
};

RunView view_without_snapshot(const fs::path& journal) {
  Reading reading(journal, Reading::Crc::no);
  reading.read_all();
  return reading.view();
}

/// How much of a journal a snapshot stands for; 0 without one.
std::uint64_t covered_bytes(const fs::path& journal) {
  std::uint64_t bytes = 0;
  if (const auto snapshot = SnapshotFile::open(journal))
    for (const CoveredFile& file : snapshot->covered()) bytes += file.mark.bytes;
  return bytes;
}

std::uint64_t journal_bytes(const fs::path& journal) {
  std::uint64_t bytes = 0;
  std::error_code gone;
  for (const auto& entry : fs::directory_iterator(journal))
    if (const auto size = entry.file_size(gone); !gone && entry.path().extension() == ".jsonl") bytes += size;
  return bytes;
}

}  // namespace

std::optional<InstanceRecord> RunView::find(const std::string& stage, unsigned index) const {
  if (const InstanceRecord* known = record.find(stage, index)) return *known;
  const PlainCommit* row = plain.find(stage, index);
  return row == nullptr ? std::nullopt : std::optional(plain.record(*row));
}

RunView view_journal(const fs::path& journal, ViewOptions options) {
  try {
    Reading reading(journal, Reading::Crc::no);
    reading.take_snapshot(options);
    reading.read_all();
    return reading.view();
  } catch (const UselessSnapshot&) {
    return view_without_snapshot(journal);
  }
}

RunView view_and_keep(const fs::path& journal) {
  Reading reading(journal, Reading::Crc::yes);
  reading.take_snapshot({.trust = Trust::bytes});
  reading.try_to_keep();
  reading.read_all();
  return reading.view();
}

void keep_snapshot(const fs::path& journal, Worth worth) noexcept {
  try {
    const std::uint64_t covered = covered_bytes(journal);
    const std::uint64_t enough = worth == Worth::doubled ? 2 * covered : covered + 1;
    if (journal_bytes(journal) < std::max(least_bytes, enough)) return;
    Reading reading(journal, Reading::Crc::yes);
    reading.take_snapshot({.trust = Trust::bytes});
    reading.keep();
  } catch (const UselessSnapshot&) {
  } catch (const std::exception&) {  // whoever reads the journal says what is wrong with it
  }
}

}  // namespace kernmill
