#include "kernmill/run/bad_nodes/bad_nodes_folder.hpp"

#include <algorithm>
#include <cstdio>
#include <system_error>

#include <fmt/format.h>

#include "kernmill/os/file_beside.hpp"
#include "kernmill/os/replace_file.hpp"
#include "kernmill/run/directory/trust.hpp"
#include "kernmill/workflow/value/json_text.hpp"

namespace kernmill {
namespace {

namespace fs = std::filesystem;
using std::chrono::seconds;

std::int64_t seconds_since_1970(TimePoint time) {
  return std::chrono::floor<seconds>(time.time_since_epoch()).count();
}

/// What one run said. Of another version's words it takes what it understands.
std::vector<BadNode> nodes_in(const Json& json) {
  std::vector<BadNode> bad;
  if (!json.is_object() || !json.contains("nodes") || !json["nodes"].is_array()) return bad;
  for (const Json& entry : json["nodes"]) {
    const bool is_whole = entry.is_object() && entry.contains("node") && entry["node"].is_string() &&
                          entry.contains("until") && entry["until"].is_number_integer();
    if (!is_whole) continue;
    const Json why = entry.value("why", Json());
    bad.push_back({entry["node"], why.is_string() ? why.get<std::string>() : "",
                   TimePoint(seconds(entry["until"].get<std::int64_t>()))});
  }
  return bad;
}

}  // namespace

fs::path bad_nodes_folder(const std::string& xdg_state_home, const std::string& home) {
  if (!xdg_state_home.empty()) return fs::path(xdg_state_home) / "kernmill/bad-nodes";
  return home.empty() ? fs::path() : fs::path(home) / ".local/state/kernmill/bad-nodes";
}

std::vector<BadNode> read_bad_nodes(const fs::path& folder, const std::string& cluster, TimePoint now) {
  std::vector<BadNode> all;
  std::error_code none;
  remove_files_left_beside(folder, std::chrono::hours(24));
  for (const auto& entry : fs::directory_iterator(folder, none)) {
    if (entry.path().extension() != ".json") continue;
    const auto text = read_own_file(entry.path());
    if (!text) continue;  // another user has put it there, or its run has just removed it
    const Json json = json_or_nothing(*text);
    std::vector<BadNode> bad = nodes_in(json);
    // Its run may be about to write it anew: it is left alone for a while.
    const auto is_over_at = [&](TimePoint time) {
      return std::all_of(bad.begin(), bad.end(), [&](const BadNode& node) { return node.until <= time; });
    };
    if (is_over_at(now - std::chrono::hours(24))) {
      std::error_code ignored;
      fs::remove(entry.path(), ignored);
      continue;
    }
    std::erase_if(bad, [&](const BadNode& node) { return node.until <= now; });
    for (BadNode& node : bad) node.why += fmt::format(", in {}", entry.path().stem().string());
    if (text_in(json, "cluster") == cluster) all = merged(std::move(all), bad);
  }
  return all;
}

void write_bad_nodes(const fs::path& folder, const std::string& run, const std::string& cluster,
                     const std::vector<BadNode>& bad) {
  const fs::path file = folder / (run + ".json");
  if (bad.empty() && !fs::exists(file)) return;
  Json nodes = Json::array();
  for (const BadNode& one : bad)
    nodes.push_back({{"node", one.node}, {"until", seconds_since_1970(one.until)}, {"why", one.why}});
  replace_file(file,
               Json{{"schema_version", 1}, {"cluster", cluster}, {"nodes", std::move(nodes)}}.dump(2) + "\n");
}

std::vector<BadNode> known_bad_nodes(const RunDirectory& run, const Workflow& workflow,
                                     const RunRecord& record, const std::string& cluster,
                                     const BadNodesContext& context) {
  const BadNodes& policy = workflow.bad_nodes;
  std::vector<BadNode> own = bad_nodes(node_attempts(record), policy, context.now);
  if (!policy.per_user || policy.avoid_for.count() == 0 || context.folder.empty()) return own;
  try {
    write_bad_nodes(context.folder, run.name(), cluster, own);
  } catch (const std::system_error& error) {
    fmt::print(stderr, "other runs are not told of bad nodes: {}\n", error.what());
  }
  return merged(std::move(own), read_bad_nodes(context.folder, cluster, context.now));
}

std::vector<std::string> avoid_in(std::vector<ArrayPlan>& arrays, const std::vector<BadNode>& bad,
                                  const Plan& plan, const ClusterFacts& facts) {
  std::vector<std::string> lines;
  const auto say = [&](std::string line) {
    if (std::find(lines.begin(), lines.end(), line) == lines.end()) lines.push_back(std::move(line));
  };
  for (ArrayPlan& array : arrays) {
    const Stage& stage = plan.stage(array.stage);
    const Avoidance avoidance = avoid(bad, array.resources, stage, facts);
    array.resources.exclude = avoidance.exclude;
    for (const BadNode& node : avoidance.avoided) say("avoids " + to_text(node));
    for (const BadNode& node : avoidance.needed)
      say(fmt::format("{} cannot run without {}", stage.name, to_text(node)));
  }
  return lines;
}

}  // namespace kernmill
