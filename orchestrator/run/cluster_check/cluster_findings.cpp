#include "kernmill/run/cluster_check/cluster_findings.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "kernmill/base/did_you_mean.hpp"
#include "kernmill/workflow/expression/expression.hpp"
#include "kernmill/workflow/settings/settings_reader.hpp"

namespace kernmill::cluster_check {

void Findings::begin(const ResourceSet& set) {
  set_ = &set;
  earlier_.merge(now_);
  now_.clear();
}

void Findings::error(std::string_view key, const std::string& message, const std::string& help) {
  add(Diagnostic::Severity::error, key, message, help);
}

void Findings::warning(std::string_view key, const std::string& message, const std::string& help) {
  add(Diagnostic::Severity::warning, key, message, help);
}

void Findings::add(Diagnostic::Severity severity, std::string_view key_view, const std::string& message,
                   const std::string& help) {
  const std::string key(key_view);
  if (earlier_.contains(key)) return;
  now_.insert(key);
  const std::string text = condition(key) + message;
  if (severity == Diagnostic::Severity::error)
    diagnostics_.error(where(key), text, help);
  else
    diagnostics_.warning(where(key), text, help);
}

Where Findings::where(const std::string& key) const {
  const auto written = stage_.resource_where.find(key);
  return written == stage_.resource_where.end() ? stage_.where : written->second;
}

std::string Findings::condition(const std::string& key) const {
  if (!stage_.resource_where.contains(key) && !stage_.resources.contains(key))
    return fmt::format("stage '{}': ", stage_.name);
  const Json& value = stage_.resources.value(key, Json());
  if (!has_template(value.dump())) return "";
  std::string text;
  for (const auto& [axis, chosen] : set_->values.items())
    text += fmt::format("{} matrix.{} = {}", text.empty() ? "with" : " and", axis, chosen.dump());
  return text + ", ";
}

std::string all_of(const std::vector<std::string>& words) {
  constexpr std::size_t most = 12;
  if (words.empty()) return "none";
  if (words.size() > most)
    return fmt::format("{} and {} more", fmt::join(words.begin(), words.begin() + most, ", "),
                       words.size() - most);
  const std::vector<std::string> front(words.begin(), words.end() - 1);
  return front.empty() ? words.back() : fmt::format("{} and {}", fmt::join(front, ", "), words.back());
}

std::string suggestion(const std::string& word, const std::vector<std::string>& known,
                       std::string_view owner) {
  const std::string meant = did_you_mean(word, known);
  return meant + (meant.empty() ? "" : " ") + fmt::format("{} has {}", owner, all_of(known));
}

std::string use_partition(const std::vector<std::string>& names) {
  return names.empty() ? "" : "use partition " + one_of(names);
}

std::string Partitions::text() const {
  if (list.size() == 1) return fmt::format("partition '{}'", list.front()->name);
  std::vector<std::string> names;
  for (const auto* partition : list) names.push_back(partition->name);
  return "partitions " + all_of(names);
}

std::vector<const ClusterFacts::Node*> Partitions::nodes(const ClusterFacts& facts) const {
  std::set<std::string_view> names;
  for (const auto* partition : list) names.insert(partition->nodes.begin(), partition->nodes.end());
  std::vector<const ClusterFacts::Node*> nodes;
  for (const auto& node : facts.nodes)
    if (names.contains(node.name)) nodes.push_back(&node);
  return nodes;
}

}  // namespace kernmill::cluster_check
