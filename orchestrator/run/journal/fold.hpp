#pragma once
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "kernmill/run/journal/journal.hpp"
#include "kernmill/run/journal/journal_line.hpp"
#include "kernmill/run/journal/plain_commits.hpp"

/// Private to run/journal: the journal, line by line, made a RunRecord.
namespace kernmill {

/// What a fold knows between two lines, so that it can be put down and gone on with.
struct FoldState {
  /// When a run began or ended, for the order of such moments: lives, not clocks, since those of two hosts
  /// differ. In records of versions without lives, times.
  struct Moment {
    unsigned life = 0;
    std::string time, file;
    std::uint64_t line = 0;
  };
  /// What an attempt said that it leaves, as JSON, before it is known which attempt counts.
  struct Leavings {
    unsigned attempt = 0;
    std::string metrics, artifacts;
  };
  struct Known {
    InstanceRecord record;
    std::vector<Leavings> commits;
    std::map<unsigned, std::string> lost;  ///< attempts whose results are, and why
  };
  using Instances = std::map<std::pair<std::string, unsigned>, Known>;

  RunRecord record;  ///< its instances aside
  Instances instances;
  PlainCommits plain;
  Moment first, started, finished;
  std::string outcome;
};

class Fold {
 public:
  enum class Keeping {
    everything,  ///< each instance with all that is known of it
    to_look,     ///< plain commits as rows, and no attempt numbers of what packs were handed
  };
  explicit Fold(Keeping keeping) : to_look_(keeping == Keeping::to_look) {}
  /// Goes on, to look.
  explicit Fold(FoldState state) : to_look_(true), state_(std::move(state)) {}

  void take(const JournalLine& line);
  /// Valid until `finish`.
  [[nodiscard]] FoldState& state() { return state_; }
  /// Takes an instance out of its row, if it lies in one.
  void spell_out(const std::string& stage, unsigned index) { instance(stage, index); }
  /// What the lines say together. Instances that lie in rows are not among those of the record.
  RunRecord finish();

 private:
  using Instance = FoldState::Instances::iterator;
  Instance instance(std::string stage, unsigned index);
  void start_run(const JournalLine& line);
  void finish_run(const JournalLine& line);
  void take_submission(const JournalLine& line);
  void take_pack(const JournalLine& line);
  void take_instance(const JournalLine& line, std::string_view event);
  void make_plain(Instance instance);

  bool to_look_;
  FoldState state_;
};

}  // namespace kernmill
