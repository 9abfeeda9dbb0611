#include "kernmill/run/cache/lost_results.hpp"

#include <filesystem>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "kernmill/run/cache/temporary.hpp"
#include "kernmill/run/cache/tree.hpp"
#include "kernmill/run/journal/events.hpp"
#include "kernmill/run/journal/replay.hpp"

namespace kernmill {
namespace {

/// What is wrong with an artifact; empty when nothing is.
std::string why_tree_is_lost(const Artifact& artifact, DigestStore& digests) {
  try {
    if (!tree_at(artifact.path, Links::kept).has_files()) return fmt::format("{} is gone", artifact.path);
    return content_of(artifact.path, digests, Links::kept).sha256 == artifact.sha256
               ? ""
               : fmt::format("{} has been changed since it was committed", artifact.path);
  } catch (const std::runtime_error& error) {
    return fmt::format("{} cannot be looked at ({})", artifact.path, error.what());
  }
}

std::string why_lost(const Artifact& artifact, DigestStore& digests) {
  if (is_tree(artifact.path)) return why_tree_is_lost(artifact, digests);
  std::error_code error;
  const auto bytes = std::filesystem::file_size(artifact.path, error);
  if (error == std::errc::no_such_file_or_directory || error == std::errc::not_a_directory)
    return fmt::format("{} is gone", artifact.path);
  if (error) return fmt::format("{} cannot be looked at ({})", artifact.path, error.message());
  if (bytes == artifact.bytes)
    return artifact.sha256.empty() || digests.sha256(artifact.path) == artifact.sha256
               ? ""
               : fmt::format("{} has been changed since it was committed", artifact.path);
  return fmt::format("{} has {} bytes, and had {} when it was committed", artifact.path, bytes,
                     artifact.bytes);
}

/// What follows for a stage from the instances of a parent that are made again.
void add_consequences(const Plan& plan, const Edge& edge, const std::map<std::uint32_t, std::string>& parent,
                      std::uint32_t count, std::map<std::uint32_t, std::string>& own) {
  if (parent.empty()) return;
  const auto because = [&](std::uint32_t index) {
    return fmt::format("{} is made again", plan.label({edge.stage, index}));
  };
  if (edge.kind == EdgeKind::each) {
    for (const auto& [index, why] : parent) own.try_emplace(index, because(index));
  } else {
    for (std::uint32_t index = 0; index < count; ++index)
      own.try_emplace(index, because(parent.begin()->first));
  }
}

}  // namespace

namespace {

using InstanceKey = std::pair<std::string, unsigned>;

void take_out(InstanceRecord& instance, const InstanceKey& key, std::string why,
              std::vector<LostResult>& lost) {
  unsigned attempt = 0;
  for (AttemptRecord& one : instance.attempts)
    if (one.state == AttemptState::committed) {
      one.state = AttemptState::lost;
      attempt = one.number;
    }
  lost.push_back({key.first, key.second, attempt, std::move(why)});
  instance.committed = false;
  instance.metrics = Json::object();
  instance.artifacts.clear();
}

/// Temporary artifacts that are gone, of instances whose children are to run, children before their parents.
void take_out_temporary(RunRecord& record, const Plan& plan, DigestStore& digests,
                        std::vector<LostResult>& lost) {
  const TemporaryArtifacts temporary(plan);
  const Replay before(plan, record);  // who is skipped with others has no record
  const auto has_settled = [&](InstanceId id) {
    const InstanceRecord* known = record.find(plan.stage(id.stage).name, id.index);
    return (known != nullptr && known->committed) || before.state(id) == State::skipped;
  };
  std::map<std::uint32_t, bool> whole;
  const Settled state{has_settled, [&](std::uint32_t stage) {
                        const auto [known, is_new] = whole.try_emplace(stage, true);
                        for (std::uint32_t i = 0; is_new && i < plan.instance_count(stage); ++i)
                          known->second = known->second && has_settled({stage, i});
                        return known->second;
                      }};
  for (std::uint32_t stage = plan.stage_count(); stage-- > 0;) {
    if (!temporary.has(stage)) continue;
    for (std::uint32_t i = 0; i < plan.instance_count(stage); ++i) {
      const InstanceKey key{plan.stage(stage).name, i};
      const auto found = record.instances.find(key);
      if (found == record.instances.end() || !found->second.committed || temporary.is_free({stage, i}, state))
        continue;
      std::string why;
      for (const Artifact& artifact : found->second.artifacts)
        if (artifact.temp && why.empty()) why = why_lost(artifact, digests);
      if (!why.empty()) take_out(found->second, key, why + ", and is needed again", lost);
    }
  }
}

}  // namespace

std::vector<LostResult> take_out_lost_results(RunRecord& record, DigestStore& digests, const Plan* plan) {
  std::vector<LostResult> lost;
  for (auto& [key, instance] : record.instances) {
    if (!instance.committed) continue;
    std::string why;
    for (const Artifact& artifact : instance.artifacts)
      if (why.empty() && !artifact.temp) why = why_lost(artifact, digests);
    if (!why.empty()) take_out(instance, key, std::move(why), lost);
  }
  if (plan != nullptr) take_out_temporary(record, *plan, digests, lost);
  return lost;
}

std::vector<LostResult> give_up_lost_results(RunRecord& record, DigestStore& digests, JournalWriter& journal,
                                             const Plan* plan) {
  std::vector<LostResult> lost = take_out_lost_results(record, digests, plan);
  give_up_results(lost, journal);
  return lost;
}

std::vector<LostResult> results_to_redo(const Plan& plan, const RunRecord& record,
                                        const std::map<InstanceId, std::string>& why) {
  std::vector<std::map<std::uint32_t, std::string>> all(plan.stage_count());  // by stage: why, of each
  for (const auto& [id, reason] : why) all[id.stage].emplace(id.index, reason);
  std::vector<LostResult> results;
  for (std::uint32_t stage = 0; stage < plan.stage_count(); ++stage) {
    auto& own = all[stage];
    const std::uint32_t count = plan.instance_count(stage);
    for (const Edge& edge : plan.parents(stage)) add_consequences(plan, edge, all[edge.stage], count, own);
    if (!own.empty() && plan.is_reduce({stage, count - 1}))
      own.try_emplace(count - 1, fmt::format("{} is made again", plan.label({stage, own.begin()->first})));
    for (const auto& [index, reason] : own) {
      const InstanceRecord* instance = record.find(plan.stage(stage).name, index);
      if (instance == nullptr || !instance->committed) continue;
      for (const AttemptRecord& attempt : instance->attempts)
        if (attempt.state == AttemptState::committed)
          results.push_back({plan.stage(stage).name, index, attempt.number, reason});
    }
  }
  return results;
}

void give_up_results(const std::vector<LostResult>& results, JournalWriter& journal) {
  std::vector<Record> records;
  records.reserve(results.size());
  for (const LostResult& one : results)
    records.push_back(to_record(events::ResultLost{{one.stage, one.instance, one.attempt}, one.why}));
  journal.append_all(records);
}

std::vector<std::string> to_lines(const std::vector<LostResult>& lost, const Plan& plan) {
  constexpr std::size_t shown = 5;
  std::vector<std::string> lines;
  for (const LostResult& one : lost) {
    if (lines.size() == shown) {
      lines.push_back(fmt::format("and {} more", lost.size() - shown));
      break;
    }
    lines.push_back(fmt::format("{} is made again: {}",
                                plan.label({plan.stage_number(one.stage), one.instance}), one.why));
  }
  return lines;
}

}  // namespace kernmill
