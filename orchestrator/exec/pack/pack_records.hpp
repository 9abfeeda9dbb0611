#pragma once
#include "kernmill/exec/attempt/element_fence.hpp"
#include "kernmill/exec/attempt/outcome.hpp"
#include "kernmill/exec/pack/pack.hpp"
#include "kernmill/exec/pack/record_buffer.hpp"

namespace kernmill::exec {

/// The records of a pack's instances. Nothing is durable before `flush`.
class PackRecords {
 public:
  PackRecords(const PackOptions& options, JournalWriter& journal);
  void started(const PackedInstance& instance, const std::string& slot);
  void committed(const PackedInstance& instance, const Json& body);
  void skipped(const PackedInstance& instance, const std::string& why);
  /// `failed`, `stopped` or `retrying`.
  void gave_up(const PackedInstance& instance, const std::string& event, const Outcome& outcome,
               const Json& more = Json::object());
  /// Throws std::runtime_error when another process carries out the element now.
  void flush();
  [[nodiscard]] std::optional<RecordBuffer::Clock::time_point> due() const { return buffer_.due(); }

 private:
  void add(const PackedInstance& instance, const std::string& event, const Json& more);
  const std::string stage_;
  RecordBuffer buffer_;
  ElementFence fence_;
  Json process_;  ///< what `started` says of this process
};

}  // namespace kernmill::exec
