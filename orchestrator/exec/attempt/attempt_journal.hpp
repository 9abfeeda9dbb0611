#pragma once
#include <string>

#include "kernmill/exec/attempt/attempt.hpp"
#include "kernmill/exec/attempt/outcome.hpp"

namespace kernmill::exec {

/// The records of one attempt.
class AttemptJournal {
 public:
  AttemptJournal(JournalWriter& journal, AttemptName attempt)
      : journal_(journal), attempt_(std::move(attempt)) {}
  /// From here on, an older attempt can no longer commit.
  void started(const std::string& job);
  void step_started(int pid, std::uint64_t start_time);
  void committed(const Json& body) { append("committed", body); }
  /// `stopped` or `failed`, by what the outcome is.
  void gave_up(const Outcome& outcome);
  /// `event`, with why the attempt gave up.
  void gave_up(const std::string& event, const Outcome& outcome, const Json& more = Json::object());
  void skipped(const std::string& why);
  [[nodiscard]] const AttemptName& name() const { return attempt_; }
  [[nodiscard]] const std::filesystem::path& path() const { return journal_.path(); }

 private:
  void append(const std::string& event, const Json& more);
  JournalWriter& journal_;
  AttemptName attempt_;
};

}  // namespace kernmill::exec
