#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "kernmill/run/conductor/conductor.hpp"

// `pack`: many small instances in one job.

namespace kernmill {
namespace {

void add(std::vector<PackRecord::Range>& ranges, unsigned instance, unsigned attempt) {
  if (!ranges.empty() && ranges.back().last + 1 == instance && ranges.back().attempt == attempt)
    ++ranges.back().last;
  else
    ranges.push_back({instance, instance, attempt});
}

}  // namespace

std::optional<InstanceId> Conductor::next_to_pack(std::uint32_t stage) {
  while (const auto next = progress_.take_ready(stage))
    if (passes_gate(*next)) return next;
  return {};
}

PackedInstance Conductor::packed(InstanceId id) {
  const Tries& so_far = tries(id);
  PackedInstance instance{id.index, so_far.attempts + 1};
  instance.failures = so_far.failures;
  instance.started_before = so_far.started > 0;
  instance.time = so_far.scale.time;
  return instance;
}

bool Conductor::start_pack(InstanceId id, const Packing& packing) {
  PackOrder order;
  order.stage = id.stage;
  for (order.pack.slots = packing.slots; !scheduler_.has_room(ports_.pack_spec(order)); order.pack.slots /= 2)
    if (order.pack.slots <= 1) return false;

  order.job = fmt::format("{}.pack.{}-{}", plan_.stage(id.stage).name, packs_made_++, options_.session);
  Pack pack;
  pack.stage = id.stage;
  pack.first = id;
  pack.first_attempt = tries(id).attempts + 1;
  std::vector<InstanceId> ids;
  PackRecord packed_together{plan_.stage(id.stage).name, order.job};
  for (std::optional<InstanceId> next = id; next;) {
    ids.push_back(*next);
    order.pack.instances.push_back(packed(*next));
    const unsigned attempt = tries(*next).attempts = order.pack.instances.back().attempt;
    pack.open.emplace(next->index, Attempt{*next, attempt, ports_.now(), {}});
    add(packed_together.attempts, next->index, attempt);
    next = ids.size() < packing.pack ? next_to_pack(id.stage) : std::nullopt;
  }
  order.pack.slots = std::min(order.pack.slots, static_cast<std::uint32_t>(ids.size()));
  order.pack.fail_fast = options_.fail_fast;
  order.known = handover(plan_, ids, commits_);
  journal_.append(to_record(events::Packed{packed_together}));
  scheduler_.submit(order.job, ports_.pack_spec(order));
  packs_.emplace(order.job, std::move(pack));
  return true;
}

void Conductor::read_packs() {
  for (auto& [job, pack] : packs_) read_pack(job, pack);
}

void Conductor::read_pack(const JobId& job, Pack& pack) {
  for (const Record& record : ports_.job_records(job)) hear_of_packed(pack, record);
}

void Conductor::hear_of_packed(Pack& pack, const Record& record) {
  const auto found = pack.open.find(record.body.value(events::field::instance, ~0U));
  if (found == pack.open.end()) return;
  Attempt& attempt = found->second;
  attempt.number = record.body.value(events::field::attempt, attempt.number);
  Tries& so_far = tries(attempt.id);
  if (record.event == events::Started::name) {
    pack.has_begun = attempt.has_begun = true;
    attempt.started = ports_.now();
    so_far.attempts = so_far.started = attempt.number;
    return output_.instance(event(InstanceEvent::What::started, attempt));
  }
  if (record.event == events::Retrying::name) {
    attempt.has_begun = false;
    so_far.scale.time = record.body.value(events::field::time_factor, 1.0);
    const bool counts = record.body.value(events::field::counts, true);
    so_far.failures += counts ? 1 : 0;
    return tell(counts ? InstanceEvent::What::retrying : InstanceEvent::What::continued, attempt,
                outcome_of({{events::Failed::name, record.body}}));
  }
  const bool skipped = record.event == events::Skipped::name;
  const JobOutcome outcome = outcome_of({record});
  if (!skipped && outcome.what == JobOutcome::What::none) return;
  const Attempt ended = std::move(attempt);
  pack.open.erase(found);
  if (skipped) return skip(ended.id, record.body.value(events::field::why, ""));
  if (outcome.what == JobOutcome::What::committed) return committed(ended, outcome.result);
  if (outcome.what == JobOutcome::What::stopped) return stopped(ended, outcome);
  progress_.failed(ended.id, /*retry=*/false);  // the pack has tried again as its stage says
  tell(InstanceEvent::What::failed, ended, outcome);
}

void Conductor::pack_ended(const JobEnd& end) {
  const auto found = packs_.find(end.job);
  if (found == packs_.end()) return;
  Pack pack = std::move(found->second);
  packs_.erase(found);
  read_pack(end.job, pack);
  const bool was_killed = end.exit_code > 128;  // its guard may still be there
  if (!pack.open.empty() || was_killed) ports_.end_leftovers(pack.first, pack.first_attempt);
  for (const auto& [index, attempt] : pack.open) {
    const bool is_to_blame = attempt.has_begun || !(pack.has_begun || stop_requests_ > 0);
    if (is_to_blame)
      vanished(attempt, end);
    else
      progress_.put_back(attempt.id);
  }
  if (ports_.put_away) ports_.put_away(end.job);
}

}  // namespace kernmill
