#pragma once
#include <string>

#include "kernmill/exec/attempt/attempt.hpp"
#include "kernmill/exec/attempt/attempt_outcome.hpp"
#include "kernmill/plan/retry_policy.hpp"
#include "kernmill/run/journal/events.hpp"

namespace kernmill::exec {

/// What a record says of an attempt that has ended like this.
events::Reason reason_of(const AttemptOutcome& outcome);

/// The records of one attempt.
class AttemptJournal {
 public:
  AttemptJournal(JournalWriter& journal, AttemptName attempt)
      : journal_(journal), attempt_(std::move(attempt)) {}
  /// From here on, an older attempt can no longer commit.
  void started(const std::string& job, const std::string& node = {});
  void inputs_changed(const std::vector<std::pair<std::string, std::string>>& inputs);
  void step_started(int pid, std::uint64_t start_time);
  void committed(const CommittedResult& result);
  /// `stopped` or `failed`, by what the outcome is.
  void gave_up(const AttemptOutcome& outcome);
  /// It gave up, and the same job makes the attempt that `next` describes.
  void retrying(const AttemptOutcome& outcome, const Retry& next);
  void skipped(const std::string& why);
  [[nodiscard]] const AttemptName& name() const { return attempt_; }
  [[nodiscard]] const std::filesystem::path& path() const { return journal_.path(); }

 private:
  [[nodiscard]] events::Subject subject() const;
  JournalWriter& journal_;
  AttemptName attempt_;
};

}  // namespace kernmill::exec
