#pragma once
#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "kernmill/plan/index_ranges.hpp"
#include "kernmill/run/journal/journal.hpp"

/// The many instances of a large run of which there is nothing to tell: RunView has them in rows.
namespace kernmill {

/// Texts in one block, by number. The empty one is 0.
class TextBlock {
 public:
  /// `repeats`: it is likely to come again, and is kept once.
  std::uint32_t add(std::string_view text, bool repeats);
  [[nodiscard]] std::string_view at(std::uint32_t number) const;
  /// False when `bytes` more would not find room.
  [[nodiscard]] bool has_room(std::size_t bytes) const;
  [[nodiscard]] const std::string& bytes() const { return bytes_; }
  /// Takes what `bytes` gave. Throws std::invalid_argument when it is no such block.
  void restore(std::string bytes);

 private:
  std::string bytes_;  ///< of each: four bytes of length, then the text
  std::unordered_map<std::string, std::uint32_t> known_;
};

/// An instance that has committed with its only attempt, was not taken from the cache, and said no more.
struct PlainCommit {
  static constexpr std::int64_t no_time = std::numeric_limits<std::int64_t>::min();
  std::int64_t submitted = no_time, started = no_time, ended = no_time;  ///< milliseconds since 1970
  std::uint32_t instance = 0, attempt = 0;
  std::uint32_t slot = 0, node = 0, why = 0, metrics = 0, artifacts = 0, warning = 0;  ///< numbers of texts
  std::uint32_t peak_kib = 0;  ///< of memory, KiB; 0: not known
  std::uint32_t unused = 0;    ///< no byte is padding
};

/// Those of a stage, counted.
struct PlainSummary {
  IndexRanges instances;
  std::int64_t begin = std::numeric_limits<std::int64_t>::max();  ///< the earliest
  std::int64_t end = PlainCommit::no_time;                        ///< the latest
  std::uint64_t warnings = 0;                                     ///< how many have one
};

/// Plain commits by stage: a row of 64 bytes each, in place of an InstanceRecord of a thousand.
class PlainCommits {
 public:
  /// Takes the instance when it is plain; else it does nothing and gives false.
  /// `metrics` and `artifacts` are JSON, or empty.
  bool take(const std::string& stage, unsigned index, const InstanceRecord& instance,
            std::string_view metrics, std::string_view artifacts);
  /// The row of an instance; nullptr when it has none. Valid until something is added.
  [[nodiscard]] const PlainCommit* find(const std::string& stage, unsigned index) const;
  void remove(const std::string& stage, unsigned index);
  /// Those of small stages, and the last of large ones: the reduce of a tune stage. A snapshot has them spelt
  /// out, so that its counts are all that a summary of the rest needs.
  [[nodiscard]] std::vector<std::pair<std::string, unsigned>> singular() const;
  /// Sorts the rows and counts them. Nothing is found before that among what was restored.
  void finish();

  [[nodiscard]] const std::map<std::string, PlainSummary>& summaries() const { return summaries_; }
  [[nodiscard]] const PlainSummary* summary(const std::string& stage) const;
  /// By instance, ascending, once finished.
  [[nodiscard]] const std::vector<PlainCommit>& rows(const std::string& stage) const;
  [[nodiscard]] const TextBlock& texts() const { return texts_; }
  /// What the row says, without what nobody asks of an instance like that: processes, hosts, jobs.
  [[nodiscard]] InstanceRecord record(const PlainCommit& row, bool with_times = true) const;

  /// Of a snapshot: the counts alone, then the rows.
  void restore(std::map<std::string, PlainSummary> summaries) { summaries_ = std::move(summaries); }
  void restore(std::map<std::string, std::vector<PlainCommit>>&& rows, TextBlock texts);

 private:
  struct Stage {
    std::vector<PlainCommit> rows;
    std::vector<std::uint32_t> place;  ///< by instance: of its row, plus one; 0: it has none
    std::size_t removed = 0;
    void index();
  };
  void add_leavings(const PlainCommit& row, InstanceRecord& instance) const;

  std::map<std::string, Stage, std::less<>> stages_;
  std::map<std::string, PlainSummary> summaries_;
  TextBlock texts_;
};

/// As the journal writes it; empty when there was none.
std::string moment_text(std::int64_t milliseconds);

}  // namespace kernmill
