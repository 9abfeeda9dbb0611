#pragma once
#include <chrono>
#include <optional>
#include <vector>

#include "kernmill/run/journal/journal.hpp"

namespace kernmill::exec {

/// Collects records, so that many become durable at the price of one. They keep the time at which they were
/// added. What has not been flushed has not happened.
class RecordBuffer {
 public:
  using Clock = std::chrono::steady_clock;
  RecordBuffer(JournalWriter& journal, std::chrono::milliseconds interval)
      : journal_(journal), interval_(interval) {}
  void add(Record record);
  /// When it has to be flushed; nothing while it is empty.
  [[nodiscard]] std::optional<Clock::time_point> due() const { return due_; }
  void flush();

 private:
  JournalWriter& journal_;
  std::chrono::milliseconds interval_;
  std::vector<Record> records_;
  std::optional<Clock::time_point> due_;
};

}  // namespace kernmill::exec
