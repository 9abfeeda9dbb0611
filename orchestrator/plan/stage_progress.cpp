#include "kernmill/plan/stage_progress.hpp"

namespace kernmill {

std::string_view to_string(State state) {
  static constexpr std::array<std::string_view, state_count> names{
      "waiting", "ready", "running", "finished", "failed", "skipped", "blocked"};
  return names.at(static_cast<std::size_t>(state));
}

StageProgress::StageProgress(std::uint32_t instances, std::uint16_t each_parents, std::uint32_t all_parents)
    : states_(instances, State::waiting), ready_(instances), all_left_(all_parents) {
  counts_[static_cast<std::size_t>(State::waiting)] = instances;
  if (each_parents == 0) return;
  each_left_.assign(instances, each_parents);
  skip_.assign(instances, false);
}

std::uint32_t StageProgress::settled() const {
  return size() - count(State::waiting) - count(State::ready) - count(State::running);
}

void StageProgress::change(std::uint32_t instance, State to) {
  State& state = states_.at(instance);
  if (state == State::ready) ready_.erase(instance);
  if (to == State::ready) ready_.insert(instance);
  --counts_[static_cast<std::size_t>(state)];
  ++counts_[static_cast<std::size_t>(to)];
  state = to;
}

void StageProgress::each_parent_settled(std::uint32_t instance, bool skipped) {
  --each_left_[instance];
  if (skipped) skip_[instance] = true;
}

bool StageProgress::all_parent_settled(bool skipped) {
  if (skipped) skip_all_ = true;
  return --all_left_ == 0;
}

bool StageProgress::parents_settled(std::uint32_t instance) const {
  return all_left_ == 0 && (each_left_.empty() || each_left_[instance] == 0);
}

bool StageProgress::to_be_skipped(std::uint32_t instance) const {
  return skip_all_ || (!skip_.empty() && skip_[instance]);
}

}  // namespace kernmill
