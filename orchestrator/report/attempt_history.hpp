#pragma once
#include <string>

#include "kernmill/plan/plan.hpp"
#include "kernmill/report/rank_ends.hpp"
#include "kernmill/run/journal/journal.hpp"

namespace kernmill {

/// What became of each attempt of an instance: how and why it ended, when, where, on how much memory, and
/// which limit it met.
class AttemptHistory {
 public:
  /// All have to live as long as this. `ranks`: those that failed first.
  AttemptHistory(const Plan& plan, InstanceId id, const InstanceRecord& known,
                 const std::map<AttemptKey, RankEnd>& ranks)
      : plan_(plan), id_(id), known_(known), ranks_(ranks) {}
  /// A few lines an attempt, indented; messages with their last lines.
  [[nodiscard]] std::string text() const;
  [[nodiscard]] Json json() const;

 private:
  [[nodiscard]] std::string facts(std::size_t at) const;
  [[nodiscard]] const RankEnd* rank_of(const AttemptRecord& attempt) const;

  const Plan& plan_;
  InstanceId id_;
  const InstanceRecord& known_;
  const std::map<AttemptKey, RankEnd>& ranks_;
};

}  // namespace kernmill
