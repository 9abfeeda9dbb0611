#pragma once
#include <set>

#include "kernmill/exec/attempt/attempt_journal.hpp"
#include "kernmill/exec/attempt/attempt_outcome.hpp"
#include "kernmill/exec/attempt/element_fence.hpp"
#include "kernmill/exec/pack/pack.hpp"
#include "kernmill/exec/pack/record_buffer.hpp"

namespace kernmill::exec {

/// The records of a pack's instances. Nothing is durable before `flush`, but the start of an attempt whose
/// number is not known from the start of the pack.
class PackRecords {
 public:
  PackRecords(const PackOptions& options, JournalWriter& journal);
  void started(const PackedInstance& instance, const std::string& slot);
  void inputs_changed(const PackedInstance& instance,
                      const std::vector<std::pair<std::string, std::string>>& inputs);
  void committed(const PackedInstance& instance, const CommittedResult& result);
  void skipped(const PackedInstance& instance, const std::string& why);
  void failed(const PackedInstance& instance, const AttemptOutcome& outcome);
  void stopped(const PackedInstance& instance, const AttemptOutcome& outcome);
  void retrying(const PackedInstance& instance, const AttemptOutcome& outcome, const Retry& next);
  /// Throws std::runtime_error when another process carries out the element now.
  void flush();
  [[nodiscard]] std::optional<RecordBuffer::Clock::time_point> due() const { return buffer_.due(); }

 private:
  [[nodiscard]] events::Subject subject(const PackedInstance& instance) const;
  const std::string stage_;
  RecordBuffer buffer_;
  ElementFence fence_;
  const std::string job_, node_;
  const unsigned known_attempt_;
  const ProcessIdentity process_;
  std::set<unsigned> retried_;  ///< instances that have been tried again in this pack
};

}  // namespace kernmill::exec
