#include "kernmill/run/bad_nodes/bad_nodes.hpp"

#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "kernmill/base/timestamp.hpp"
#include "kernmill/run/cluster_check/cluster_check.hpp"
#include "kernmill/run/cluster_check/slurm_notation.hpp"

namespace kernmill {
namespace {

using End = NodeAttempt::End;

/// How an attempt speaks of its node; nothing when it does not.
std::optional<End> end_of(const AttemptRecord& attempt) {
  switch (attempt.state) {
    case AttemptState::committed:
      return attempt.cached_from.empty() ? std::optional(End::committed) : std::nullopt;
    case AttemptState::failed:
    case AttemptState::retrying:
    case AttemptState::abandoned:
      break;
    default:
      return {};
  }
  if (attempt.cause == Cause::node_fail)
    return attempt.failed_node.empty() ? std::nullopt : std::optional(End::node_failed);
  const bool by_itself = attempt.cause == Cause::error || attempt.cause == Cause::stalled;
  // An attempt that somebody gave up has no cause of its own.
  if (!by_itself || attempt.state == AttemptState::abandoned) return {};
  return End::failed;
}

/// What became of a stage's instances, by node.
struct StageOnNodes {
  std::map<unsigned, std::set<std::string>> failed_on;            ///< by instance
  std::map<std::string, std::map<unsigned, TimePoint>> failures;  ///< by node: the newest of each instance
  std::map<std::string, TimePoint> newest_success;                ///< by node

  void take(const NodeAttempt& attempt) {
    if (attempt.end == End::committed) {
      TimePoint& newest = newest_success[attempt.node];
      newest = std::max(newest, attempt.when);
    } else {
      failed_on[attempt.instance].insert(attempt.node);
      TimePoint& newest = failures[attempt.node][attempt.instance];
      newest = std::max(newest, attempt.when);
    }
  }
  [[nodiscard]] bool succeeds_elsewhere(const std::string& node) const {
    return std::any_of(newest_success.begin(), newest_success.end(),
                       [&](const auto& entry) { return entry.first != node; });
  }
};

using Labels = std::vector<std::string>;

std::string listed(const Labels& labels) {
  constexpr std::size_t most = 3;
  if (labels.size() > most)
    return fmt::format("{} and {} more", fmt::join(labels.begin(), labels.begin() + most, ", "),
                       labels.size() - most);
  return fmt::format("{} and {}", fmt::join(labels.begin(), labels.end() - 1, ", "), labels.back());
}

void judge(const std::string& stage, const StageOnNodes& known, const BadNodes& policy,
           std::vector<BadNode>& bad) {
  for (const auto& [node, failures] : known.failures) {
    if (!known.succeeds_elsewhere(node)) continue;
    Labels labels;
    TimePoint first = TimePoint::max(), last{};
    for (const auto& [instance, when] : failures) {
      if (known.failed_on.at(instance).size() > 1) continue;
      labels.push_back(fmt::format("{}[{}]", stage, instance));
      first = std::min(first, when);
      last = std::max(last, when);
    }
    const auto success = known.newest_success.find(node);
    if (labels.size() < 2 || (success != known.newest_success.end() && success->second >= first)) continue;
    bad.push_back({node, listed(labels) + " failed there and nowhere else", last + policy.avoid_for});
  }
}

std::optional<TimePoint> moment(const std::string& text) {
  return text.empty() ? std::nullopt : utc_moment(text);
}

bool names_its_nodes(const Resources& asked) {
  const auto& options = asked.slurm_extra.options;
  return std::any_of(options.begin(), options.end(), [](const auto& option) {
    return option.first == "nodelist" || option.first == "nodefile";
  });
}

std::string exclude_list(const Resources& asked, const std::vector<BadNode>& avoided) {
  std::string list = asked.exclude;
  for (const BadNode& bad : avoided) list += (list.empty() ? "" : ",") + bad.node;
  return list;
}

}  // namespace

std::vector<NodeAttempt> node_attempts(const RunRecord& record) {
  std::vector<NodeAttempt> result;
  for (const auto& [key, instance] : record.instances)
    for (const AttemptRecord& attempt : instance.attempts) {
      const auto end = end_of(attempt);
      const auto when = moment(attempt.ended_at);
      const std::string& node = end == End::node_failed ? attempt.failed_node : attempt.node;
      if (end && when && !node.empty()) result.push_back({node, key.first, key.second, *end, *when});
    }
  return result;
}

std::vector<NodeAttempt> node_attempts(const RunView& view) {
  std::vector<NodeAttempt> result = node_attempts(view.record);
  for (const auto& [stage, summary] : view.plain.summaries()) {
    std::map<std::uint32_t, const PlainCommit*> newest;  // by node
    for (const PlainCommit& row : view.plain.rows(stage)) {
      const PlainCommit*& known = newest[row.node];
      if (known == nullptr || known->ended < row.ended) known = &row;
    }
    for (const auto& [node, row] : newest)
      if (node != 0 && row->ended != PlainCommit::no_time)
        result.push_back({std::string(view.plain.texts().at(node)), stage, row->instance, End::committed,
                          TimePoint(std::chrono::milliseconds(row->ended))});
  }
  return result;
}

std::vector<BadNode> bad_nodes(const std::vector<NodeAttempt>& attempts, const BadNodes& policy,
                               TimePoint now) {
  if (policy.avoid_for.count() == 0) return {};
  std::vector<BadNode> bad;
  std::map<std::string, StageOnNodes> stages;
  for (const NodeAttempt& attempt : attempts) {
    if (attempt.end == End::node_failed)
      bad.push_back({attempt.node, fmt::format("it failed under {}[{}]", attempt.stage, attempt.instance),
                     attempt.when + policy.avoid_for});
    else
      stages[attempt.stage].take(attempt);
  }
  for (const auto& [name, stage] : stages) judge(name, stage, policy, bad);
  std::erase_if(bad, [&](const BadNode& node) { return node.until <= now; });
  return merged(std::move(bad), {});
}

std::vector<BadNode> merged(std::vector<BadNode> some, const std::vector<BadNode>& others) {
  some.insert(some.end(), others.begin(), others.end());
  std::stable_sort(some.begin(), some.end(),
                   [](const BadNode& a, const BadNode& b) { return a.until > b.until; });
  std::set<std::string> seen;
  std::erase_if(some, [&](const BadNode& bad) { return !seen.insert(bad.node).second; });
  return some;
}

Avoidance avoid(const std::vector<BadNode>& bad, const Resources& asked, const Stage& stage,
                const ClusterFacts& facts) {
  Avoidance result{asked.exclude, {}, {}};
  if (bad.empty() || names_its_nodes(asked)) return result;
  const auto own = host_names(asked.exclude).value_or(std::vector<std::string>{});
  for (const BadNode& node : bad) {
    const bool is_known =
        facts.nodes.empty() || std::any_of(facts.nodes.begin(), facts.nodes.end(),
                                           [&](const auto& one) { return one.name == node.node; });
    const bool is_excluded = std::find(own.begin(), own.end(), node.node) != own.end();
    if (is_known && !is_excluded) result.avoided.push_back(node);
  }
  for (; !result.avoided.empty(); result.avoided.pop_back()) {
    Resources without = asked;
    without.exclude = exclude_list(asked, result.avoided);
    if (could_run_as_well(without, asked, stage, facts)) break;
    result.needed.insert(result.needed.begin(), result.avoided.back());
  }
  result.exclude = exclude_list(asked, result.avoided);
  return result;
}

std::string to_text(const BadNode& bad) {
  return fmt::format("{} until {} UTC ({})", bad.node, utc_text(bad.until, "%H:%M"), bad.why);
}

}  // namespace kernmill
