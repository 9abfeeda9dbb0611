#include "kernmill/exec/pack/pack_records.hpp"

#include <stdexcept>

#include <fmt/format.h>
#include <unistd.h>

#include "kernmill/os/process.hpp"

namespace kernmill::exec {

PackRecords::PackRecords(const PackOptions& options, JournalWriter& journal)
    : stage_(options.plan.stage(options.array.stage).name),
      buffer_(journal, options.flush_interval),
      fence_(options.run.journal(), options.name(), options.restart),
      job_(options.job),
      node_(options.node),
      known_attempt_(options.attempt),
      process_{::getpid(), start_time_of(::getpid()), host_name()} {}

void PackRecords::started(const PackedInstance& instance, const std::string& slot) {
  buffer_.add(to_record(events::Started{subject(instance), job_, process_, slot, node_}));
  const bool is_beyond_known = known_attempt_ > 0 && instance.attempt > known_attempt_;
  if (is_beyond_known || retried_.contains(instance.index)) flush();
}

void PackRecords::inputs_changed(const PackedInstance& instance,
                                 const std::vector<std::pair<std::string, std::string>>& inputs) {
  buffer_.add(to_record(events::InputsChanged{subject(instance), inputs}));
}

void PackRecords::committed(const PackedInstance& instance, const CommittedResult& result) {
  buffer_.add(to_record(events::Committed{subject(instance), result}));
}

void PackRecords::skipped(const PackedInstance& instance, const std::string& why) {
  buffer_.add(to_record(events::Skipped{stage_, instance.index, why}));
}

void PackRecords::failed(const PackedInstance& instance, const AttemptOutcome& outcome) {
  buffer_.add(to_record(events::Failed{subject(instance), reason_of(outcome)}));
}

void PackRecords::stopped(const PackedInstance& instance, const AttemptOutcome& outcome) {
  buffer_.add(to_record(events::Stopped{subject(instance), reason_of(outcome)}));
}

void PackRecords::retrying(const PackedInstance& instance, const AttemptOutcome& outcome, const Retry& next) {
  events::Retrying event{subject(instance), reason_of(outcome), next.mem_factor, next.time_factor};
  if (!next.counts) event.counts = false;
  buffer_.add(to_record(event));
  retried_.insert(instance.index);
}

events::Subject PackRecords::subject(const PackedInstance& instance) const {
  return {stage_, instance.index, instance.attempt};
}

void PackRecords::flush() {
  if (!buffer_.due()) return;
  if (const std::string newer = fence_.newer(); !newer.empty())
    throw std::runtime_error(
        fmt::format("this job was started again while it still ran here ({}): this copy of it stops", newer));
  buffer_.flush();
}

}  // namespace kernmill::exec
