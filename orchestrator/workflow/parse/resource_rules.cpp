#include "kernmill/workflow/parse/resource_rules.hpp"

#include <algorithm>
#include <charconv>
#include <sstream>

#include <fmt/format.h>

#include "kernmill/base/counted.hpp"
#include "kernmill/workflow/expression/expression.hpp"
#include "kernmill/workflow/settings/settings.hpp"

namespace kernmill {
namespace {

/// Options of sbatch by which Kernmill does its work.
const std::vector<std::string> own_options{
    "array",      "chdir",     "comment", "dependency", "error",
    "export",     "hold",      "input",   "job-name",   "kill-on-invalid-dep",
    "no-requeue", "open-mode", "output",  "parsable",   "requeue",
    "signal",     "test-only", "wait",    "wrap"};

/// How many GPUs a request such as "a100:2,v100:1" is for, of whatever type.
int gpu_count(const std::string& request) {
  int sum = 0;
  std::istringstream parts(request);
  for (std::string part; std::getline(parts, part, ',');) {
    const std::size_t colon = part.rfind(':');
    const std::size_t begin = colon == std::string::npos ? 0 : colon + 1;
    int count = 0;
    std::from_chars(part.data() + begin, part.data() + part.size(), count);
    sum += count;
  }
  return sum;
}

class Rules {
 public:
  Rules(const Stage& stage, Diagnostics& diagnostics) : stage_(stage), diagnostics_(diagnostics) {
    Json plain = Json::object();
    for (const auto& [key, value] : stage.resources.items())
      if (!has_template(value.dump())) plain[key] = value;
    given_ = plain;
    resources_ = to_resources(plain);
  }

  void check() {
    check_ranks();
    check_gpus();
    check_extra();
  }

  void check_layout() {
    const Json parallel = stage_.config.value("parallel", Json());
    if (!parallel.is_object() || given_ != stage_.resources) return;
    const auto share = [&](const char* key) {
      const auto at = parallel.find(key);
      return at == parallel.end() ? std::int64_t{1} : at->is_number_integer() ? at->get<std::int64_t>() : 0;
    };
    const std::int64_t layers = share("tensor") * share("pipeline"), all = share("data") * layers;
    const bool is_whole = parallel.contains("data") && !parallel.contains("layout");
    if (all <= 0 || (is_whole ? resources_.ntasks == all : resources_.ntasks % all == 0)) return;
    error("ntasks",
          fmt::format("{} cannot be shared as 'parallel' says: data x tensor x pipeline are {}{}",
                      counted(resources_.ntasks, "rank"), is_whole ? "" : "a multiple of ", all),
          "make 'ntasks' that number, or leave parallel.data out");
  }

 private:
  [[nodiscard]] bool given(std::initializer_list<const char*> keys) const {
    return std::all_of(keys.begin(), keys.end(), [&](const char* key) { return given_.contains(key); });
  }

  void error(const char* key, const std::string& message, const std::string& help) {
    const auto where = stage_.resource_where.find(key);
    diagnostics_.error(where == stage_.resource_where.end() ? stage_.where : where->second, message, help);
  }

  void check_ranks() {
    const Resources& r = resources_;
    if (given({"nodes", "ntasks"}) && r.ntasks < r.nodes_min)
      error(
          "ntasks", fmt::format("{} cannot use {} nodes", counted(r.ntasks, "rank"), r.nodes_min),
          "every node has a rank at least; without 'ntasks' each has 'ntasks_per_node' of them (default 1)");
    if (given({"nodes", "ntasks", "ntasks_per_node"}) && r.ntasks > r.nodes_max * r.ntasks_per_node)
      error("ntasks",
            fmt::format("{} ranks do not fit on {} with at most {} each", r.ntasks,
                        counted(r.nodes_max, "node"), r.ntasks_per_node),
            "without 'ntasks' each node has 'ntasks_per_node' of them");
  }

  void check_gpus() {
    const Resources& r = resources_;
    const int gpus = gpu_count(r.gpus);
    if (given({"gpus", "gpus_per_node", "nodes"}) && r.nodes_min == r.nodes_max &&
        gpus != r.nodes_min * gpu_count(r.gpus_per_node))
      error("gpus",
            fmt::format("{} GPUs are not {} on each of {} nodes", gpus, gpu_count(r.gpus_per_node),
                        r.nodes_min),
            "keep 'gpus' or 'gpus_per_node'");
    if (given({"gpus", "gpus_per_task", "ntasks"}) && gpus != r.ntasks * gpu_count(r.gpus_per_task))
      error(
          "gpus",
          fmt::format("{} GPUs are not {} for each of {} ranks", gpus, gpu_count(r.gpus_per_task), r.ntasks),
          "keep 'gpus' or 'gpus_per_task'");
    const bool in_gres = r.gres.starts_with("gpu") || r.gres.find(",gpu") != std::string::npos;
    for (const char* key : {"gpus", "gpus_per_node", "gpus_per_task"})
      if (in_gres && given({key}))
        error("gres", fmt::format("'gres' asks for GPUs, and so does '{}'", key), "keep one of them");
  }

  void check_extra() {
    const auto& [options, strays] = resources_.slurm_extra;
    for (const std::string& word : strays)
      error("slurm_extra", fmt::format("'{}' in slurm_extra is no long option of sbatch", word),
            "write --name=value");
    for (const auto& [name, value] : options) check_option(name);
  }

  void check_option(const std::string& name) {
    if (std::find(own_options.begin(), own_options.end(), name) != own_options.end())
      error("slurm_extra", fmt::format("'--{}' in slurm_extra is what Kernmill sets itself", name),
            "leave it out");
    std::string key = name;
    std::replace(key.begin(), key.end(), '-', '_');
    if (resource_settings().find(key) != nullptr)
      error("slurm_extra", fmt::format("'--{}' in slurm_extra is the resource '{}'", name, key),
            fmt::format("write it as {}: VALUE, so that Kernmill knows of it", key));
  }

  const Stage& stage_;
  Diagnostics& diagnostics_;
  Json given_;
  Resources resources_;
};

}  // namespace

void check_resources(const Stage& stage, Diagnostics& diagnostics) {
  Rules(stage, diagnostics).check();
}

void check_layout(const Stage& stage, Diagnostics& diagnostics) {
  Rules(stage, diagnostics).check_layout();
}

}  // namespace kernmill
