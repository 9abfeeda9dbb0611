#include "kernmill/cli/runs/ready_results.hpp"

#include <fmt/format.h>

#include "kernmill/base/counted.hpp"
#include "kernmill/cli/runs/local_machine.hpp"
#include "kernmill/exec/element/consequences.hpp"
#include "kernmill/plan/gathering.hpp"
#include "kernmill/run/cache/prediction.hpp"
#include "kernmill/run/journal/events.hpp"

namespace kernmill::cli {
namespace {

class ReadyResults {
 public:
  ReadyResults(const RunDirectory& run, const Plan& plan, const RunRecord& record, JournalWriter& journal)
      : run_(run), plan_(plan), record_(record), journal_(journal), commits_(commits_in(plan, record)) {}

  std::size_t take_from_cache() {
    const StopSignals stop;
    LocalMachine machine(run_, plan_, stop, journal_, {});
    const ConductorPorts ports = machine.ports();
    const Programs programs = find_programs();
    DigestStore digests(run_.root().parent_path());
    Cache cache(run_.root().parent_path(), digests);
    const CachePrediction prediction = predict(plan_, cache, digests, digests_of(programs, digests));
    predicted_ = &prediction;
    std::size_t taken = 0;
    for (std::uint32_t stage = 0; stage < plan_.stage_count(); ++stage) {
      if (prediction.count(stage, Decision::What::cached) == 0) continue;
      for (std::uint32_t index = 0; index < plan_.instance_count(stage); ++index)
        if (prediction.of({stage, index}).what == Decision::What::cached)
          taken += take({stage, index}, ports);
    }
    return taken;
  }

  void skip() {
    std::vector<InstanceId> settled;
    const RunRecord now = fold_journal(run_.journal());
    for (const auto& [key, instance] : now.instances)
      if (instance.committed) settled.push_back({plan_.stage_number(key.first), key.second});
    exec::journal_skips(plan_, exec::consequences(plan_, now, settled), journal_);
  }

 private:
  bool take(InstanceId id, const ConductorPorts& ports) {
    const InstanceRecord* known = record_.find(plan_.stage(id.stage).name, id.index);
    if (known != nullptr && (known->committed || !known->attempts.empty())) return false;
    if (!has_what_it_gathers(id)) return false;
    const CacheAnswer answer = ports.from_cache(id, 1, commits_);
    if (!answer.committed) return false;
    journal_.append(
        to_record(events::Committed{{plan_.stage(id.stage).name, id.index, 1}, *answer.committed}));
    if (answer.after_commit) answer.after_commit();
    commits_.add(id, answer.committed->left);
    return true;
  }

  /// A result of fewer instances than there will be is not what is wanted.
  [[nodiscard]] bool has_what_it_gathers(InstanceId id) const {
    for (const Gathering& gathered : gatherings_of(plan_, id.stage))
      for (std::uint32_t i = 0; i < plan_.instance_count(gathered.stage); ++i)
        if (predicted_->of({gathered.stage, i}).what != Decision::What::skipped &&
            !commits_.result({gathered.stage, i}))
          return false;
    return true;
  }

  const RunDirectory& run_;
  const Plan& plan_;
  const RunRecord& record_;
  JournalWriter& journal_;
  CommitTable commits_;
  const CachePrediction* predicted_ = nullptr;
};

}  // namespace

RunRecord take_ready_results(const RunDirectory& run, const Plan& plan, const RunRecord& record,
                             JournalWriter& journal, const ReadyResultsOptions& options) {
  ReadyResults results(run, plan, record, journal);
  const std::size_t taken = options.no_cache ? 0 : results.take_from_cache();
  if (taken > 0 && !options.quiet)
    fmt::print(stderr, "{} taken from earlier runs\n", counted(taken, "instance"));
  results.skip();
  return fold_journal(run.journal());
}

}  // namespace kernmill::cli
