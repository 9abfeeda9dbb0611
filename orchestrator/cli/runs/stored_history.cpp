#include "kernmill/cli/runs/stored_history.hpp"

#include <filesystem>
#include <fstream>
#include <unordered_map>
#include <vector>

#include "kernmill/cli/runs/instance_selector.hpp"
#include "kernmill/exec/attempt/metrics_file.hpp"
#include "kernmill/report/training_progress.hpp"
#include "kernmill/run/directory/slot_log.hpp"
#include "kernmill/run/journal/run_view.hpp"

namespace kernmill::cli {
namespace {

/// The histories of packed instances, which lie among others': each log is read once.
class SlotHistories {
 public:
  const std::vector<Json>& of(const std::filesystem::path& log, const std::string& title) {
    const auto [sections, is_new] = logs_.try_emplace(log.string());
    if (is_new)
      for_each_slot_line(log, [&rows = sections->second](const std::string& of, const std::string& line) {
        if (auto row = exec::history_row(line)) rows[of].push_back(std::move(*row));
      });
    return sections->second[title];
  }

 private:
  std::unordered_map<std::string, std::unordered_map<std::string, std::vector<Json>>> logs_;
};

/// Where an instance has left what it wrote to KERNMILL_METRICS: in its own folder, in that which a cached
/// result was taken from, or, of a packed one, among others'.
void read_history(const RunDirectory& run, const Plan& plan, InstanceId id, const InstanceRecord& known,
                  SlotHistories& slots, MetricHistory& history) {
  if (known.attempts.empty()) return;
  const AttemptRecord& last = known.attempts.back();
  const std::string &stage = plan.stage(id.stage).name, label = plan.label(id);
  std::error_code none;
  for (const std::filesystem::path& folder :
       {run.attempt(stage, id.index, last.number), std::filesystem::path(last.cached_from)}) {
    if (folder.empty()) continue;
    if (plan.stage(id.stage).kind == TaskKind::train)
      for (Json& row : read_training_history(folder)) history.add(label, std::move(row));
    if (!std::filesystem::is_regular_file(folder / exec::metrics_file, none)) continue;
    std::ifstream lines(folder / exec::metrics_file);
    for (std::string line; std::getline(lines, line);)
      if (auto row = exec::history_row(line)) history.add(label, std::move(*row));
    return;
  }
  if (last.slot.empty()) return;
  const auto log = run.slot(stage, last.slot) / slot_metrics;
  for (const Json& row : slots.of(log, section_title(label, last.number))) history.add(label, row);
}

}  // namespace

MetricHistory stored_history(const RunDirectory& run, const Plan& plan, const std::string& selector) {
  const InstanceId chosen = chosen_instance(plan, selector);
  const std::uint32_t end = names_instance(selector) ? chosen.index + 1 : plan.instance_count(chosen.stage);
  const RunView view = view_journal(run.journal());
  SlotHistories slots;
  MetricHistory history;
  for (InstanceId id = chosen; id.index < end; ++id.index)
    if (const auto known = view.find(plan.stage(id.stage).name, id.index))
      read_history(run, plan, id, *known, slots, history);
  return history;
}

}  // namespace kernmill::cli
