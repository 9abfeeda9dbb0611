#include "kernmill/plan/progress.hpp"

#include <algorithm>
#include <stdexcept>

#include <fmt/format.h>

namespace kernmill {
namespace {

constexpr std::array<std::string_view, 7> cause_names{"error",     "oom",       "timeout", "node_fail",
                                                      "preempted", "cancelled", "stalled"};

bool is_failure(State state) {
  return state == State::failed || state == State::blocked;
}

}  // namespace

std::string_view to_string(Cause cause) {
  return cause_names.at(static_cast<std::size_t>(cause));
}

StageProgress Progress::at_the_beginning(std::uint32_t stage) const {
  const auto& parents = plan_->parents(stage);
  const auto each =
      plan_->undecided(stage) ? 0 : std::count_if(parents.begin(), parents.end(), [](const Edge& edge) {
        return edge.kind == EdgeKind::each;
      });
  return {plan_->instance_count(stage), static_cast<std::uint16_t>(each),
          static_cast<std::uint32_t>(parents.size() - static_cast<std::size_t>(each))};
}

std::optional<Cause> cause(std::string_view name) {
  const auto found = std::find(cause_names.begin(), cause_names.end(), name);
  if (found == cause_names.end()) return {};
  return static_cast<Cause>(found - cause_names.begin());
}

Progress::Progress(const Plan& plan, Options options)
    : plan_(&plan), options_(options), startable_(plan.stage_count()) {
  stages_.reserve(plan.stage_count());
  for (std::uint32_t stage = 0; stage < plan.stage_count(); ++stage) {
    stages_.push_back(at_the_beginning(stage));
    totals_[static_cast<std::size_t>(State::waiting)] += plan.instance_count(stage);
  }
  for (std::uint32_t stage = 0; stage < plan.stage_count(); ++stage) {
    if (plan.parents(stage).empty()) decide_all(stage);
    check_stage(stage);  // one without instances has settled already
  }
  follow_up();
}

void Progress::restore(InstanceId id, State to) {
  if (state(id) == to) return;
  require(id, state(id) == State::waiting || state(id) == State::ready, "restored");
  settle(id, to);
}

std::optional<InstanceId> Progress::take_ready() {
  if (options_.fail_fast && broken_stages_ > 0) return {};
  const auto stage = startable_.smallest();
  return stage ? take_ready(*stage) : std::nullopt;
}

std::optional<InstanceId> Progress::take_ready(std::uint32_t stage) {
  if ((options_.fail_fast && broken_stages_ > 0) || !may_start(stage)) return {};
  const InstanceId id{stage, *stages_[stage].first_ready()};
  change(id, State::running);
  return id;
}

void Progress::put_back(InstanceId id) {
  require(id, state(id) == State::running, "put back");
  change(id, State::ready);
}

void Progress::finished(InstanceId id) {
  require(id, state(id) == State::running, "finished");
  settle(id, State::finished);
}

void Progress::skipped(InstanceId id) {
  const State now = state(id);
  require(id, now == State::running || now == State::ready || now == State::waiting, "skipped");
  settle(id, State::skipped);
}

bool Progress::failed(InstanceId id, bool retry) {
  require(id, state(id) == State::running, "failed");
  if (retry)
    change(id, State::ready);
  else
    settle(id, State::failed);
  return retry;
}

std::optional<std::uint32_t> Progress::because_of(InstanceId id) const {
  const bool blocked = state(id) == State::blocked;
  if (!blocked && state(id) != State::skipped) return {};
  for (const Edge& edge : plan_->parents(id.stage)) {
    const bool each = edge.kind == EdgeKind::each;
    const InstanceId parent{edge.stage, id.index};
    if (blocked && (each ? is_failure(state(parent)) : broken(edge.stage))) return edge.stage;
    if (!blocked && (each ? state(parent) == State::skipped : all_skipped(edge.stage))) return edge.stage;
  }
  return blocked ? std::optional(id.stage) : std::nullopt;
}

State Progress::state_of_undecided(std::uint32_t stage) const {
  const auto verdict = stages_[stage].verdict();
  return verdict == StageProgress::Verdict::broken   ? State::blocked
         : verdict == StageProgress::Verdict::passed ? State::skipped
                                                     : State::waiting;
}

bool Progress::complete() const {
  const bool stopped = options_.fail_fast && broken_stages_ > 0;
  return count(State::running) == 0 && (stopped || count(State::ready) == 0);
}

void Progress::grown(const std::vector<std::uint32_t>& stages) {
  for (const std::uint32_t stage : stages) {
    stages_[stage] = at_the_beginning(stage);
    totals_[static_cast<std::size_t>(State::waiting)] += plan_->instance_count(stage);
  }
  for (const std::uint32_t stage : stages) catch_up(stage);
  follow_up();
}

/// With what has become of its parents as a whole. Those that it waits for one by one have just begun, as it
/// has.
void Progress::catch_up(std::uint32_t stage) {
  bool blocked = false;
  for (const Edge& edge : plan_->parents(stage)) {
    const auto verdict = stages_[edge.stage].verdict();
    if (edge.kind == EdgeKind::each) continue;
    blocked = blocked || verdict == StageProgress::Verdict::broken;
    if (verdict == StageProgress::Verdict::passed) stages_[stage].all_parent_settled(all_skipped(edge.stage));
  }
  for (std::uint32_t i = 0; blocked && i < stages_[stage].size(); ++i) block({stage, i});
  decide_all(stage);
  check_stage(stage);
}

void Progress::require(InstanceId id, bool fits, std::string_view report) const {
  if (!fits)
    throw std::logic_error(
        fmt::format("{} is reported {}, but it is {}", plan_->label(id), report, to_string(state(id))));
}

bool Progress::may_start(std::uint32_t stage) const {
  const auto bound = options_.max_parallel ? static_cast<std::uint32_t>(plan_->stage(stage).max_parallel) : 0;
  const bool room = bound == 0 || count(stage, State::running) < bound;
  return room && count(stage, State::ready) > 0;
}

void Progress::change(InstanceId id, State to) {
  StageProgress& stage = stages_[id.stage];
  --totals_[static_cast<std::size_t>(stage.state(id.index))];
  ++totals_[static_cast<std::size_t>(to)];
  stage.change(id.index, to);
  if (may_start(id.stage))
    startable_.insert(id.stage);
  else
    startable_.erase(id.stage);
}

void Progress::settle(InstanceId id, State to) {
  note_settled(id, to);
  follow_up();
}

void Progress::note_settled(InstanceId id, State to) {
  change(id, to);
  settled_.push_back(id);
}

void Progress::follow_up() {
  while (!settled_.empty()) {
    const InstanceId id = settled_.back();
    settled_.pop_back();
    tell_children(id);
    check_reduce(id.stage);
    check_stage(id.stage);
  }
}

void Progress::tell_children(InstanceId id) {
  for (const Edge& edge : plan_->children(id.stage))
    if (edge.kind == EdgeKind::each) tell_child({edge.stage, id.index}, state(id));
}

void Progress::tell_child(InstanceId child, State parent) {
  if (is_failure(parent)) return block(child);
  stages_[child.stage].each_parent_settled(child.index, parent == State::skipped);
  decide(child);
}

void Progress::check_reduce(std::uint32_t stage) {
  const InstanceId reduce{stage, plan_->instance_count(stage) - 1};
  if (!plan_->is_reduce(reduce) || state(reduce) != State::waiting) return;
  if (broken(stage))
    block(reduce);
  else
    decide(reduce);
}

void Progress::check_stage(std::uint32_t stage) {
  if (stages_[stage].verdict() != StageProgress::Verdict::open || plan_->undecided(stage)) return;
  if (broken(stage))
    break_stage(stage);
  else if (stages_[stage].settled() == stages_[stage].size())
    pass_stage(stage);
}

void Progress::break_stage(std::uint32_t stage) {
  stages_[stage].set_verdict(StageProgress::Verdict::broken);
  ++broken_stages_;
  for (const Edge& edge : plan_->children(stage)) {
    if (plan_->undecided(edge.stage)) {
      if (stages_[edge.stage].verdict() == StageProgress::Verdict::open) break_stage(edge.stage);
    } else if (edge.kind == EdgeKind::all) {
      for (std::uint32_t i = 0; i < stages_[edge.stage].size(); ++i) block({edge.stage, i});
    }
  }
}

void Progress::pass_stage(std::uint32_t stage) {
  stages_[stage].set_verdict(StageProgress::Verdict::passed);
  for (const Edge& edge : plan_->children(stage)) {
    const bool undecided = plan_->undecided(edge.stage);
    if (edge.kind != EdgeKind::all && !undecided) continue;
    if (!stages_[edge.stage].all_parent_settled(all_skipped(stage))) continue;
    if (!undecided)
      decide_all(edge.stage);
    else if (stages_[edge.stage].verdict() == StageProgress::Verdict::open && all_skipped(edge.stage))
      pass_stage(edge.stage);
  }
}

void Progress::decide_all(std::uint32_t stage) {
  for (std::uint32_t i = 0; i < stages_[stage].size(); ++i) decide({stage, i});
}

void Progress::decide(InstanceId id) {
  const StageProgress& stage = stages_[id.stage];
  if (state(id) != State::waiting || !stage.parents_settled(id.index)) return;
  if (stage.to_be_skipped(id.index)) return note_settled(id, State::skipped);
  if (!plan_->is_reduce(id)) return change(id, State::ready);
  const std::uint32_t trials = id.index;
  if (stage.settled() < trials) return;
  if (trials > 0 && stage.count(State::skipped) == trials) return note_settled(id, State::skipped);
  change(id, State::ready);
}

void Progress::block(InstanceId id) {
  if (state(id) == State::waiting) note_settled(id, State::blocked);
}

bool Progress::broken(std::uint32_t stage) const {
  const StageProgress& progress = stages_[stage];
  if (progress.failures() > static_cast<std::uint32_t>(plan_->stage(stage).max_fails)) return true;
  if (progress.failures() == 0) return false;
  const std::uint32_t last = progress.size() - 1;
  return plan_->is_reduce({stage, last}) && is_failure(progress.state(last));
}

bool Progress::all_skipped(std::uint32_t stage) const {
  if (plan_->undecided(stage)) return stages_[stage].all_to_be_skipped();
  return stages_[stage].size() > 0 && stages_[stage].count(State::skipped) == stages_[stage].size();
}

}  // namespace kernmill
