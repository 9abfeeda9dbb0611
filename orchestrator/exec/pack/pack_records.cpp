#include "kernmill/exec/pack/pack_records.hpp"

#include <stdexcept>

#include <fmt/format.h>
#include <unistd.h>

#include "kernmill/os/process.hpp"

namespace kernmill::exec {

PackRecords::PackRecords(const PackOptions& options, JournalWriter& journal)
    : stage_(options.plan.stage(options.array.stage).name),
      buffer_(journal, options.flush_interval),
      fence_(options.run.journal(), options.job, options.restart),
      process_({{"job", options.job},
                {"pid", ::getpid()},
                {"start_time", start_time_of(::getpid())},
                {"host", host_name()}}) {}

void PackRecords::started(const PackedInstance& instance, const std::string& slot) {
  Json more = process_;
  more["slot"] = slot;
  add(instance, "started", more);
}

void PackRecords::committed(const PackedInstance& instance, const Json& body) {
  add(instance, "committed", body);
}

void PackRecords::skipped(const PackedInstance& instance, const std::string& why) {
  buffer_.add({"skipped", {{"stage", stage_}, {"instance", instance.index}, {"why", why}}});
}

void PackRecords::gave_up(const PackedInstance& instance, const std::string& event, const Outcome& outcome,
                          const Json& more) {
  Json body = {{"cause", to_string(outcome.cause)}, {"exit_code", outcome.exit_code}};
  if (outcome.signal != 0) body["signal"] = outcome.signal;
  body["message"] = outcome.message;
  body.update(more);
  add(instance, event, body);
}

void PackRecords::add(const PackedInstance& instance, const std::string& event, const Json& more) {
  Json body = {{"stage", stage_}, {"instance", instance.index}, {"attempt", instance.attempt}};
  body.update(more);
  buffer_.add({event, std::move(body)});
}

void PackRecords::flush() {
  if (!buffer_.due()) return;
  if (const std::string newer = fence_.newer(); !newer.empty())
    throw std::runtime_error(
        fmt::format("this job was started again while it still ran here ({}): it leaves the field", newer));
  buffer_.flush();
}

}  // namespace kernmill::exec
